"""GitSources over `git http-backend`: credentials reach the server and nothing else, certificates are checked, nobody is followed."""

import base64
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.git import https
from adapters.git.upstream import Upstream
from kilde.adapters.git.sources import GitSources
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.revert import Revert
from kilde.ports.sources import Credentials
from real.certificates import Authority

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not https.AVAILABLE, reason="no git-http-backend on this machine"),
]
CANARY = "c4naryV4lue"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "ca").mkdir()
    return Authority(tmp_path / "ca")


@pytest.fixture
def server(upstream: Upstream, authority: Authority) -> Iterator[https.GitServer]:
    upstream.commit({"a": "1\n"})
    with https.serve(upstream.path.parent, pair=authority.serving("server", ["127.0.0.1"], ["localhost"])) as running:
        yield running


@pytest.fixture
def ca(authority: Authority) -> str:
    return authority.pair.certificate.read_text()


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


async def test_user_and_password_open_it_with_the_first_request(
    sources: GitSources, upstream: Upstream, server: https.GitServer, ca: str
) -> None:
    server.wanted = basic("ada", CANARY)
    await sources.fetch(server.url(), Credentials(username="ada", password=CANARY, tls_ca=ca))
    assert await sources.resolve(server.url(), "main") == upstream.git("rev-parse", "main")
    assert {given for _, given in server.asked} == {server.wanted}


async def test_a_bearer_token_opens_it(sources: GitSources, server: https.GitServer, ca: str) -> None:
    server.wanted = f"Bearer {CANARY}"
    await sources.fetch(server.url(), Credentials(bearer_token=CANARY + "\n", tls_ca=ca))


async def test_credentials_in_the_url_open_it_and_are_never_shown(
    sources: GitSources, folder: Path, server: https.GitServer, ca: str
) -> None:
    url = server.url().replace("https://", f"https://ada:{CANARY}@")
    server.wanted = basic("ada", CANARY)
    await sources.fetch(url, Credentials(tls_ca=ca))
    server.wanted = basic("ada", "another")
    with pytest.raises(SourceUnavailable) as caught:
        await sources.fetch(url, Credentials(tls_ca=ca))
    assert CANARY not in str(caught.value)
    assert traces_of(CANARY, folder) == []


async def test_a_user_in_the_url_counts_only_together_with_a_password(
    sources: GitSources, server: https.GitServer, ca: str
) -> None:
    url = server.url().replace("https://", "https://org@")
    await sources.fetch(url, Credentials(tls_ca=ca))
    assert {given for _, given in server.asked} == {""}
    server.wanted = basic("org", CANARY)
    await sources.fetch(url, Credentials(password=CANARY, tls_ca=ca))
    server.wanted = basic("ada", CANARY)
    await sources.fetch(url, Credentials(username="ada", password=CANARY, tls_ca=ca))


async def test_a_push_goes_the_same_way(
    sources: GitSources, upstream: Upstream, server: https.GitServer, ca: str
) -> None:
    server.wanted = basic("ada", CANARY)
    opens = Credentials(username="ada", password=CANARY, tls_ca=ca)
    good = upstream.git("rev-parse", "main")
    upstream.commit({"a": "2\n"})
    await sources.fetch(server.url(), opens)
    made = await sources.push_revert(
        server.url(), opens, Revert(branch="main", to=good, paths=(), author="Bo <bo@example>", message="Back")
    )
    assert upstream.git("rev-parse", "main") == made


@pytest.mark.parametrize(
    "given", [Credentials(), Credentials(username="ada", password="wrong"), Credentials(bearer_token="wrong")]
)
async def test_wrong_or_no_credentials_are_told(
    sources: GitSources, server: https.GitServer, ca: str, given: Credentials
) -> None:
    server.wanted = basic("ada", CANARY)
    opens = Credentials(username=given.username, password=given.password, bearer_token=given.bearer_token, tls_ca=ca)
    with pytest.raises(SourceUnavailable) as caught:
        await sources.fetch(server.url(), opens)
    assert str(caught.value) == (
        f"{server.url()}: the server wants credentials, or refused those it was given"
        " (check username and password, or the token, in the repository's Secret)"
    )


async def test_an_authority_that_is_not_known_is_refused(sources: GitSources, server: https.GitServer) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        await sources.fetch(server.url(), Credentials(username="ada", password=CANARY))
    assert caught.value.what.startswith("the server's certificate is not trusted: ")
    assert caught.value.hint == (
        "add the authority that signed it to the ConfigMap argocd-tls-certs-cm, under the key 'localhost'"
    )
    assert server.asked == []


async def test_another_authority_than_the_servers_is_refused(
    sources: GitSources, server: https.GitServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other").pair.certificate.read_text()
    with pytest.raises(SourceUnavailable, match="certificate is not trusted"):
        await sources.fetch(server.url(), Credentials(tls_ca=other))


async def test_a_certificate_for_another_name_is_refused(
    sources: GitSources, upstream: Upstream, authority: Authority, ca: str
) -> None:
    upstream.commit({"a": "1\n"})
    with (
        https.serve(upstream.path.parent, pair=authority.serving("odd", [], ["elsewhere.example"])) as odd,
        pytest.raises(SourceUnavailable, match="certificate is not trusted"),
    ):
        await sources.fetch(odd.url(), Credentials(tls_ca=ca))


async def test_any_certificate_passes_only_where_the_user_said_insecure(
    sources: GitSources, server: https.GitServer
) -> None:
    await sources.fetch(server.url(), Credentials(insecure=True))


async def test_a_client_certificate_opens_it(
    sources: GitSources, upstream: Upstream, authority: Authority, ca: str
) -> None:
    sha = upstream.commit({"a": "1\n"})
    pair = authority.client("kilde", [])
    with https.serve(
        upstream.path.parent, pair=authority.serving("mtls", ["127.0.0.1"], ["localhost"]), clients=authority
    ) as strict:
        with pytest.raises(SourceUnavailable, match="the server broke off the TLS connection") as caught:
            await sources.fetch(strict.url(), Credentials(tls_ca=ca))
        assert "tlsClientCertData" in caught.value.hint
        await sources.fetch(
            strict.url(),
            Credentials(tls_ca=ca, tls_client_cert=pair.certificate.read_text(), tls_client_key=pair.key.read_text()),
        )
        assert await sources.resolve(strict.url(), "main") == sha


async def test_a_redirect_is_not_followed_wherever_it_leads(
    sources: GitSources, upstream: Upstream, server: https.GitServer, ca: str
) -> None:
    with https.serve(upstream.path.parent) as internal:
        for target in (f"file://{upstream.path}", internal.url(), server.url(), "ext::sh"):
            server.redirects = {"/moved.git": target}
            with pytest.raises(SourceUnavailable) as caught:
                await sources.fetch(server.url("moved.git"), Credentials(username="ada", password=CANARY, tls_ca=ca))
            assert caught.value.what == "the server sends us on to another URL, which is not followed"
        assert internal.asked == []


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (403, "the server forbids access with these credentials"),
        (404, "repository not found"),
        (429, "the server says that we ask too often"),
        (503, "the server answered with status 503"),
    ],
)
async def test_what_the_server_answers_is_told(
    sources: GitSources, server: https.GitServer, ca: str, status: int, what: str
) -> None:
    server.status = status
    with pytest.raises(SourceUnavailable) as caught:
        await sources.fetch(server.url(), Credentials(tls_ca=ca))
    assert caught.value.what == what


async def test_a_server_that_is_not_there_is_told(sources: GitSources, server: https.GitServer) -> None:
    url = server.url()
    server.shutdown()
    server.server_close()
    with pytest.raises(SourceUnavailable, match=r"localhost:\d+ cannot be reached: "):
        await sources.fetch(url, Credentials())


async def test_a_password_shows_in_no_process_no_message_and_no_file(
    sources: GitSources, folder: Path, upstream: Upstream, server: https.GitServer, ca: str
) -> None:
    upstream.commit({f"f{n}": os.urandom(50_000) for n in range(40)})
    secret, encoded = CANARY, base64.b64encode(f"ada:{CANARY}".encode()).decode()
    server.wanted = basic("ada", secret)
    opens = Credentials(username="ada", password=secret, tls_ca=ca, tls_client_cert="", ssh_private_key=f"key {secret}")
    assert secret not in repr(opens)
    with Watcher() as watcher:
        await sources.fetch(server.url(), opens)
        server.wanted = "Basic no"
        with pytest.raises(SourceUnavailable) as caught:
            await sources.fetch(server.url(), opens)
    seen = "\n".join(sorted(watcher.seen))
    assert "git-remote-https" in seen, "the watcher looked too late"
    for one in (secret, encoded):
        assert one not in seen
        assert one not in repr(caught.value) + str(caught.value.__cause__)
        assert traces_of(one, folder) == []


class Watcher:
    """Reads every process' arguments, again and again, until the block ends."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.is_set():
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(process.read_bytes().decode("utf-8", "replace"))
                except OSError:
                    continue
            time.sleep(0.002)


def traces_of(secret: str, folder: Path) -> list[Path]:
    """Files below the folder that hold the secret."""
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
