"""GitHubApps: credentials of a GitHub App, exchanged for a token that opens a repository for an hour."""

import asyncio
from dataclasses import replace
from urllib.parse import quote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # it is there, and public by its name
from weakref import WeakValueDictionary

import msgspec

from kilde.core.basics.errors import KildeError, SourceUnavailable
from kilde.core.basics.github_app import GitHubApp, InstallationToken, installation_token, introduction
from kilde.core.source.repository_url import RepositoryUrl, Scheme, parse
from kilde.ports.clock import Clock
from kilde.ports.sources import Credentials
from kilde.ports.web import Answer, Request, Web

_USER = "x-access-token"
_EARLY = 300.0  # seconds before its end in which a token is not used any more: a clone may take its time
_LONGEST = 3600.0  # seconds that a token is kept whose end was not told
_Key = tuple[GitHubApp, str]


class GitHubApps:
    """Keeps tokens while they last; all who need the same one wait for one exchange."""

    def __init__(self, web: Web, clock: Clock) -> None:
        self._web, self._clock = web, clock
        self._tokens: dict[_Key, InstallationToken] = {}
        self._locks: WeakValueDictionary[_Key, asyncio.Lock] = (
            WeakValueDictionary()
        )  # a key that was changed is not kept

    async def opened(self, url: str, credentials: Credentials) -> Credentials:
        """The same with a token for the app that is among them. SourceUnavailable where GitHub gives none. InvalidInput: no URL."""
        if credentials.app is None:
            return credentials
        place = parse(url)
        if place.scheme in (Scheme.SSH, Scheme.FILE):
            return credentials
        key = credentials.app, "" if credentials.app.installation else place.key
        async with self._locks.setdefault(key, asyncio.Lock()):
            token = self._tokens.get(key)
            if token is None or token.ends < self._clock.now() + _EARLY:
                token = await self._token(place, credentials, credentials.app)
                self._tokens = {k: t for k, t in self._tokens.items() if t.ends > self._clock.now()} | {key: token}
        return replace(credentials, username=_USER, password=token.text)

    def forget(self, credentials: Credentials) -> None:
        """The tokens of its app are not used again: what was taken back there is not known here."""
        self._tokens = {key: token for key, token in self._tokens.items() if key[0] != credentials.app}

    async def close(self) -> None:
        await self._web.close()

    async def _token(self, place: RepositoryUrl, credentials: Credentials, app: GitHubApp) -> InstallationToken:
        installation = app.installation or await self._installation(place, credentials, app)
        path = f"app/installations/{quote(installation, safe='')}/access_tokens"
        answer = await self._ask(place, credentials, app, path, method="POST")
        if answer.status == 404:
            raise _none(place, app, f"it has no installation {installation}", "look at githubAppInstallationID")
        token = installation_token(answer.body) if answer.status == 201 else None
        if token is None:
            raise _none(place, app, f"GitHub answered {answer.status}")
        return token if token.ends else replace(token, ends=self._clock.now() + _LONGEST)

    async def _installation(self, place: RepositoryUrl, credentials: Credentials, app: GitHubApp) -> str:
        """Found by the repository, as nobody named it."""
        *_, owner, name = ("", *place.path.strip("/").removesuffix(".git").split("/"))
        path = f"repos/{quote(owner, safe='')}/{quote(name, safe='')}/installation"
        answer = await self._ask(place, credentials, app, path)
        if answer.status == 404:
            raise _none(place, app, f"it is not installed for {owner}/{name}", "install it there")
        try:
            return str(int(msgspec.json.decode(answer.body)["id"]))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            raise _none(place, app, f"GitHub answered {answer.status}") from None

    async def _ask(
        self, place: RepositoryUrl, credentials: Credentials, app: GitHubApp, path: str, *, method: str = "GET"
    ) -> Answer:
        try:
            signed = introduction(app.id, app.private_key, self._clock.now())
        except ValueError as error:
            raise _none(place, app, f"its key is {error}", "paste the whole file that GitHub gave you") from None
        host = urlsplit(app.api).hostname or ""
        theirs = host == place.host  # what the Secret says of trust is of the repository's host
        passed_by = bool(credentials.no_proxy) and bool(proxy_bypass_environment(host, {"no": credentials.no_proxy}))
        request = Request(
            url=app.api + path,
            method=method,
            headers={"Authorization": f"Bearer {signed}", "Accept": "application/vnd.github+json"},
            authority=credentials.tls_ca if theirs else "",
            insecure=credentials.insecure and theirs,
            proxy="" if passed_by else credentials.proxy,
        )
        try:
            answer = await self._web.request(request)
        except KildeError as error:
            raise _none(place, app, f"{error.about}: {error.what}", error.hint) from None
        if answer.status in (401, 403):
            hint = "look at githubAppID and githubAppPrivateKey, and at this machine's clock"
            raise _none(place, app, f"GitHub answered {answer.status}", hint)
        return answer


def _none(place: RepositoryUrl, app: GitHubApp, why: str, hint: str = "") -> SourceUnavailable:
    return SourceUnavailable(f"no token for GitHub App {app.id}: {why}", about=str(place), hint=hint)
