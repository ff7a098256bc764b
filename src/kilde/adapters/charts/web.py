"""Fetcher: one GET (or HEAD) for a chart, bounded in bytes, time and redirects; credentials reach nobody but whom they are for."""

import asyncio
import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from kilde.adapters.charts.addresses import GuardedResolver, RefusedAddress, proxy_for, refused
from kilde.adapters.charts.limits import ChartLimits
from kilde.core.basics.errors import LimitExceeded, SourceUnavailable
from kilde.core.source.credentials import Credentials
from kilde.core.source.repository_url import redact

_LEGAL = "%/:?#[]@!$&'()*+,;=~-._"
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Response:
    """What came. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question. `most`: bytes of an answer. `authorization` goes to the address' own origin, and everywhere with `everywhere`."""

    url: str
    credentials: Credentials
    most: int
    headers: Mapping[str, str] = field(default_factory=dict)
    authorization: str = field(default="", repr=False)
    everywhere: bool = False
    head: bool = False  # only status and headers are asked for


class Fetcher:
    """Belongs to one event loop; its session is made when it is first needed."""

    def __init__(self, limits: ChartLimits) -> None:
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[tuple[str, str, str], ssl.SSLContext] = {}

    async def get(self, ask: Ask) -> Response:
        """Whatever status came. Raises SourceUnavailable where nothing came, LimitExceeded for too much; no word tells a secret."""
        about = redact(ask.url.partition("?")[0])
        url, given = _without_user(ask.url)
        authorization = ask.authorization or given
        try:
            async with asyncio.timeout(self._limits.seconds):
                for _ in range(self._limits.redirects + 1):
                    same = _origin(url) == _origin(ask.url)
                    response = await self._once(ask, url, authorization if same or ask.everywhere else "")
                    if response.status not in _REDIRECTS or not response.headers.get("location"):
                        return response
                    url = _following(url, response.headers["location"], about)
        except TimeoutError:
            raise SourceUnavailable(f"no answer within {self._limits.seconds:g} s", about=about) from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise SourceUnavailable(_words(error), about=about) from None
        raise SourceUnavailable(f"more than {self._limits.redirects} redirects", about=about)

    async def _once(self, ask: Ask, url: str, authorization: str) -> Response:
        host = urlsplit(url).hostname or ""
        if not self._limits.link_local and refused(host):
            raise RefusedAddress("is a link-local address")
        headers = {"Accept-Encoding": "identity", **ask.headers}
        if authorization:
            headers["Authorization"] = authorization
        async with self._opened().request(
            "HEAD" if ask.head else "GET",
            URL(
                quote(url, safe=_LEGAL), encoded=True
            ),  # as it is written: a signed address holds for these very characters
            headers=headers,
            ssl=self._trust(ask.credentials) if url.startswith("https:") else True,
            proxy=proxy_for(url, ask.credentials),
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for part in response.content.iter_chunked(1 << 16):
                body += part
                if len(body) > ask.most:
                    raise LimitExceeded(
                        f"the answer has more than {ask.most} bytes", about=redact(url.partition("?")[0])
                    )
            return Response(response.status, {k.lower(): v for k, v in response.headers.items()}, bytes(body))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = None if self._limits.link_local else GuardedResolver()
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": "kilde"},
                connector=aiohttp.TCPConnector(resolver=resolver, limit=16),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _trust(self, credentials: Credentials) -> ssl.SSLContext | bool:
        """The system's authorities and the repository's own; its client certificate. A context is made once."""
        if not (credentials.insecure or credentials.tls_ca or credentials.tls_client_cert):
            return True
        key = (str(credentials.insecure) + credentials.tls_ca, credentials.tls_client_cert, credentials.tls_client_key)
        if key not in self._contexts:
            if len(self._contexts) > 64:
                self._contexts.clear()
            self._contexts[key] = _context(credentials)
        return self._contexts[key]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def basic(credentials: Credentials) -> str:
    """The header for user and password, or for a token; "" for neither."""
    if credentials.username or credentials.password:
        pair = f"{credentials.username}:{credentials.password}"
        return "Basic " + base64.b64encode(pair.encode()).decode()
    return f"Bearer {credentials.bearer_token}" if credentials.bearer_token else ""


def _context(credentials: Credentials) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if credentials.insecure:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    elif credentials.tls_ca:
        made.load_verify_locations(cadata=credentials.tls_ca)
    if credentials.tls_client_cert:
        with tempfile.TemporaryDirectory(prefix="kilde-") as folder:  # OpenSSL reads files only
            certificate, key = Path(folder) / "certificate", Path(folder) / "key"
            for file, text in ((certificate, credentials.tls_client_cert), (key, credentials.tls_client_key)):
                file.touch(mode=0o600)
                file.write_text(text)
            made.load_cert_chain(certificate, key, password=lambda: b"")
    return made


def _without_user(url: str) -> tuple[str, str]:
    """The address without user and password, and these as a header."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, ""
    given = Credentials(username=unquote(parts.username or ""), password=unquote(parts.password or ""))
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), basic(given)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _following(url: str, location: str, about: str) -> str:
    following = urljoin(url, location)
    scheme = urlsplit(following).scheme
    if scheme not in ("http", "https") or (scheme == "http" and url.startswith("https:")):
        raise SourceUnavailable(f"redirects to {scheme or 'something'} instead of https", about=about)
    return _without_user(following)[0]


def _words(error: Exception) -> str:
    """What went wrong, without the address as the library repeats it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, RefusedAddress):
        return f"{cause} (KILDE_LINK_LOCAL=allowed lets it be asked)"
    if isinstance(cause, OSError) and cause.strerror:
        return f"cannot be reached: {cause.strerror}"
    if isinstance(error, ssl.SSLError):
        return "certificate, key or authority cannot be used"
    return f"cannot be asked: {type(error).__name__}"
