"""GitHubApps: an app's key becomes a token of GitHub's, which opens the repository and is in nothing that is said."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.git import https
from adapters.git.github import APP, INSTALLATION, TOKEN, GitHub, github, pem
from adapters.git.upstream import Upstream
from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.charts.sources import ChartSources
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.adapters.github_apps import GitHubApps
from kilde.adapters.web_client import WebClient
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.basics.github_app import GitHubApp
from kilde.core.source.revert import Revert
from kilde.ports.sources import Credentials
from kilde.testing.clock import FakeClock
from kilde.testing.web import FakeWeb
from kilde.wiring.sourcing import AllSources
from real.certificates import Authority

pytestmark = pytest.mark.anyio
URL = "https://localhost/team/up.git"
TOKENS = f"POST /api/v3/app/installations/{INSTALLATION}/access_tokens"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "ca").mkdir()
    return Authority(tmp_path / "ca")


@pytest.fixture
def hub(authority: Authority) -> Iterator[GitHub]:
    with github(authority.serving("github", ["127.0.0.1"], ["localhost"])) as running:
        yield running


@pytest.fixture
def credentials(hub: GitHub, authority: Authority) -> Credentials:
    app = GitHubApp(id=APP, private_key=pem(), installation=INSTALLATION, api=f"{hub.api}/")
    return Credentials(app=app, tls_ca=authority.pair.certificate.read_text())


@pytest.fixture
async def apps() -> AsyncIterator[GitHubApps]:
    made = GitHubApps(WebClient(AwsIdentities(SystemClock(), {})), SystemClock())
    yield made
    await made.close()


def without_installation(credentials: Credentials) -> Credentials:
    assert credentials.app is not None
    return replace(credentials, app=replace(credentials.app, installation=""))


async def test_all_who_need_a_token_share_one(apps: GitHubApps, hub: GitHub, credentials: Credentials) -> None:
    opened = await asyncio.gather(*(apps.opened(f"https://localhost/team/{n}", credentials) for n in range(5)))
    assert opened == [replace(credentials, username="x-access-token", password=f"{TOKEN}1")] * 5
    assert hub.asked == [TOKENS]
    apps.forget(credentials)
    assert (await apps.opened(URL, credentials)).password == f"{TOKEN}2"


async def test_a_token_that_is_about_to_end_is_not_used(
    apps: GitHubApps, hub: GitHub, credentials: Credentials
) -> None:
    hub.lasts = 290.0
    assert [(await apps.opened(URL, credentials)).password for _ in range(2)] == [f"{TOKEN}1", f"{TOKEN}2"]


async def test_an_installation_that_nobody_named_is_found_by_the_repository(
    apps: GitHubApps, hub: GitHub, credentials: Credentials
) -> None:
    found = [await apps.opened(URL, without_installation(credentials)) for _ in range(2)]
    assert [one.password for one in found] == [f"{TOKEN}1"] * 2
    assert hub.asked == ["GET /api/v3/repos/team/up/installation", TOKENS]


async def test_nothing_is_asked_where_no_token_helps(apps: GitHubApps, hub: GitHub, credentials: Credentials) -> None:
    plain = Credentials(username="ada")
    assert await apps.opened(URL, plain) is plain
    assert await apps.opened("git@localhost:team/up.git", credentials) is credentials
    assert hub.asked == []


async def test_what_is_amiss_is_told_with_what_to_do_and_without_the_key(
    apps: GitHubApps, hub: GitHub, credentials: Credentials
) -> None:
    assert credentials.app is not None
    hint = "look at githubAppID and githubAppPrivateKey, and at this machine's clock"
    api = "https://localhost/api/v3/app/installations/22/access_tokens"
    amiss = {
        "GitHub answered 401 (" + hint + ")": replace(credentials, app=replace(credentials.app, id="12")),
        "it has no installation 23 (look at githubAppInstallationID)": replace(
            credentials, app=replace(credentials.app, installation="23")
        ),
        "its key is no RSA key in PEM (paste the whole file that GitHub gave you)": replace(
            credentials, app=replace(credentials.app, private_key="c4nary")
        ),
        f"{api}: its certificate is not trusted": replace(credentials, tls_ca=""),
    }
    for words, given in amiss.items():
        with pytest.raises(SourceUnavailable) as caught:
            await apps.opened(URL, given)
        number = given.app.id if given.app else ""
        assert str(caught.value) == f"{URL}: no token for GitHub App {number}: {words}"
    with pytest.raises(SourceUnavailable) as caught:
        await apps.opened("https://localhost/team/other", without_installation(credentials))
    words = "it is not installed for team/other (install it there)"
    assert str(caught.value) == f"https://localhost/team/other: no token for GitHub App 11: {words}"
    hub.status = 500
    for given in (credentials, without_installation(credentials)):
        with pytest.raises(SourceUnavailable, match=r"no token for GitHub App 11: GitHub answered 500$"):
            await apps.opened(URL, given)
    assert pem().splitlines()[1] not in repr(credentials)


async def test_what_is_said_of_the_repositorys_host_is_not_for_another() -> None:
    web = FakeWeb()
    app = GitHubApp(id=APP, private_key=pem(), installation=INSTALLATION)
    url = f"https://api.github.com/app/installations/{INSTALLATION}/access_tokens"
    web.answers(url, {"token": TOKEN}, status=201, method="POST")
    given = Credentials(app=app, tls_ca="PEM", insecure=True, proxy="http://proxy:3128")
    clock = FakeClock()
    apps = GitHubApps(web, clock)
    assert (await apps.opened(URL, given)).password == TOKEN
    await apps.opened(URL, replace(given, no_proxy="other,.github.com"))
    await clock.advance(3301.0)  # nobody said when it ends: an hour, less five minutes
    await apps.opened(URL, replace(given, no_proxy="other,.github.com"))
    assert [(one.authority, one.insecure, one.proxy) for one in web.asked] == [
        ("", False, "http://proxy:3128"),
        ("", False, ""),
    ]


@pytest.mark.skipif(not https.AVAILABLE, reason="no git-http-backend on this machine")
async def test_it_opens_a_repository_to_fetch_and_to_push(
    tmp_path: Path, upstream: Upstream, authority: Authority
) -> None:
    first = upstream.commit({"a": "1\n"})
    upstream.commit({"a": "2\n"})
    upstream.git("config", "http.receivepack", "true")
    pair = authority.serving("server", ["127.0.0.1"], ["localhost"])
    with https.serve(upstream.path.parent, pair=pair) as git, github(pair, git, repository="up") as hub:
        app = GitHubApp(id=APP, private_key=pem(), installation=INSTALLATION, api=f"{hub.api}/")
        credentials = Credentials(app=app, tls_ca=authority.pair.certificate.read_text())
        apps = GitHubApps(WebClient(AwsIdentities(SystemClock(), {})), SystemClock())
        mirrors = GitSources(tmp_path / "mirrors", clock=SystemClock())
        sources = AllSources(mirrors, ChartSources(tmp_path / "charts"), apps)
        try:
            await sources.fetch(git.url(), credentials)
            wanted = Revert(branch="main", to=first, author="ada <ada@kilde.example>", message="back", paths=("a",))
            made = await sources.push_revert(git.url(), credentials, wanted)
            assert upstream.git("rev-parse", "main") == made
            assert hub.asked == [TOKENS]

            git.wanted = "Basic " + base64.b64encode(b"x-access-token:taken back").decode()
            with pytest.raises(SourceUnavailable) as caught:
                await sources.fetch(git.url(), credentials)
            assert TOKEN not in str(caught.value)
            await sources.fetch(git.url(), credentials)  # by a new one
            assert hub.given == 2
        finally:
            await sources.close()
    await asyncio.get_running_loop().shutdown_default_executor()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert kept == []
