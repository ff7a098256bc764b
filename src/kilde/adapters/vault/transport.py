"""Transport: one request to Vault and its answer, bounded and tried again; what went wrong becomes a VaultError without a secret in it.

After the HTTP API's public documentation (status codes: 400 refused, 403 denied or no token, 404 nothing there, 412 not yet replicated,
429 over a quota, 472/473 a standby, 500-599 trouble, 503 sealed or down for maintenance).
"""

import asyncio
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from kilde.core.basics.backoff import Backoff
from kilde.core.secrets.vault.settings import VaultSettings
from kilde.ports.clock import Clock
from kilde.ports.vault import Reason, VaultError

LARGEST = 8 << 20  # bytes of an answer
_ATTEMPTS = 4
_BACKOFF = Backoff(first=0.25, factor=3.0, ceiling=3.0)
_LONGEST_WAIT = 10.0  # seconds that a Retry-After is followed
_PASSING = (Reason.SEALED, Reason.UNREACHABLE, Reason.BUSY)
_WORDS = 300  # characters of what the server says
_SHORTEST_SECRET = 4  # characters from which a text that was sent must not come back in a message
_PLAIN = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status below 400, or 404. `errors` are the server's own sentences."""

    status: int
    body: Mapping[str, Any] = field(repr=False)

    @property
    def errors(self) -> tuple[str, ...]:
        found = self.body.get("errors")
        return tuple(str(each) for each in found) if isinstance(found, list) else ()

    @property
    def data(self) -> Mapping[str, Any]:
        """The field `data`; empty where there is none."""
        found = self.body.get("data")
        return found if isinstance(found, dict) else {}


class Transport:
    """Sends requests to one server. The certificate is checked against `ca_file` alone where there is one."""

    def __init__(self, settings: VaultSettings, clock: Clock, *, backoff: Backoff = _BACKOFF) -> None:
        self._settings, self._clock, self._backoff = settings, clock, backoff
        self._session: aiohttp.ClientSession | None = None
        self._trust: ssl.SSLContext | None = None

    async def send(
        self, method: str, path: str, *, token: str = "", body: Any = None, query: str = "", again: bool = True
    ) -> Answer:
        """One request; `path` is below /v1/, its parts not yet quoted. VaultError, after a few attempts where one may help."""
        attempt = 1
        while True:
            try:
                return await self._once(method, path, token, body, query)
            except VaultError as error:
                if error.reason not in _PASSING or not again or attempt == _ATTEMPTS:
                    raise
                wait = min(error.after, _LONGEST_WAIT) or self._backoff.delay(attempt, dice=self._clock.dice())
            attempt += 1
            await self._clock.sleep(wait)

    async def _once(self, method: str, path: str, token: str, body: Any, query: str) -> Answer:
        url = f"{self._settings.address}/v1/{quote(path)}{query}"
        about = f"Vault: {path}"
        try:
            async with asyncio.timeout(self._settings.timeout):
                status, data, headers = await self._exchange(method, url, self._headers(token), body)
        except TimeoutError:
            raise VaultError(
                Reason.UNREACHABLE, f"no answer within {self._settings.timeout:g} s", about=about
            ) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise VaultError(Reason.UNREACHABLE, _words(error), about=about, hint=_hint(error)) from None
        answer = Answer(status, _decoded(data, status, about))
        if status < 300 or status == 404:
            return answer
        raise _failure(answer, headers, about, secrets=(token, *_texts(body)))

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Any
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if self._session is None:
            self._trust = await asyncio.to_thread(_trust, self._settings)
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        async with self._session.request(
            method,
            url,
            headers=headers,
            data=None if body is None else msgspec.json.encode(body),
            ssl=self._trust if self._trust is not None else True,
            server_hostname=self._settings.server_name or None,
            allow_redirects=False,  # the token is for this address alone
        ) as response:
            parts, size = [], 0
            async for part in response.content.iter_chunked(1 << 16):
                size += len(part)
                if size > LARGEST:
                    raise ValueError("too large")
                parts.append(part)
            return response.status, b"".join(parts), response.headers

    def _headers(self, token: str) -> dict[str, str]:
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json", "User-Agent": "kilde"}
        if token:
            headers["X-Vault-Token"] = token
        if self._settings.namespace:
            headers["X-Vault-Namespace"] = self._settings.namespace
        return headers

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _trust(settings: VaultSettings) -> ssl.SSLContext | None:
    """OSError where the file of authorities cannot be read; ValueError where it holds none."""
    if not settings.ca_file:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except ssl.SSLError:
        raise ValueError("the file of authorities holds no certificate") from None


def _decoded(data: bytes, status: int, about: str) -> Mapping[str, Any]:
    if not data:
        return {}
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = None
    if isinstance(found, dict):
        return found
    if status < 300:
        raise VaultError(Reason.UNREACHABLE, "what answers is no Vault", about=about, hint="look at the address")
    return {}


def _failure(answer: Answer, headers: Mapping[str, str], about: str, *, secrets: tuple[str, ...]) -> VaultError:
    status, said = answer.status, _said(answer, secrets)
    match status:
        case 403:
            return VaultError(
                Reason.DENIED, "permission denied", about=about, hint="the token's policy does not allow it"
            )
        case 429:
            return VaultError(Reason.BUSY, "too many requests", about=about, after=_seconds(headers.get("Retry-After")))
        case 503 if "sealed" in said.lower():
            return VaultError(
                Reason.SEALED, "is sealed", about="Vault", hint="unseal it; what is there stays as it is meanwhile"
            )
        case 412 | 472 | 473:
            return VaultError(Reason.UNREACHABLE, f"the node that answers is not ready ({status})", about=about)
        case _ if 300 <= status < 400:
            hint = "give the address of the active node or of its load balancer"
            return VaultError(
                Reason.UNREACHABLE, "answers with a redirect, which is not followed", about=about, hint=hint
            )
        case _ if status >= 500:
            return VaultError(Reason.UNREACHABLE, f"answered {status}{said}", about=about)
        case _:
            return VaultError(Reason.REFUSED, f"answered {status}{said}", about=about)


def _said(answer: Answer, secrets: tuple[str, ...]) -> str:
    """The server's own sentences; none of them where something that was sent would come back."""
    text = _PLAIN.sub(" ", "; ".join(answer.errors))[:_WORDS].strip()
    if not text or any(each in text for each in secrets if len(each) >= _SHORTEST_SECRET):
        return ""
    return f": {text}"


def _texts(value: Any) -> Iterator[str]:
    """Every text in a body that was sent."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isdecimal() and len(text) < 8 else 0.0


def _words(error: Exception) -> str:
    """What went wrong, without the address as the library repeats it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "speaks no TLS that is understood"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return f"cannot be reached: {error.os_error.strerror}"
    if isinstance(error, aiohttp.ClientError):
        return f"cannot be reached: {type(error).__name__}"
    if isinstance(error, OSError):
        return f"its file of authorities cannot be read: {error.strerror}"
    return (
        str(error)
        if str(error) in ("the file of authorities holds no certificate", "too large")
        else type(error).__name__
    )


def _hint(error: Exception) -> str:
    return (
        "give its authority as caFile (VAULT_CACERT)"
        if isinstance(error, aiohttp.ClientConnectorCertificateError)
        else ""
    )
