"""Transport: requests and streams over HTTP(S) to one API server, with credentials, limits and counts."""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from kilde import __version__
from kilde.adapters.cluster import failures, tls
from kilde.adapters.cluster.access import Access, Credential
from kilde.adapters.cluster.interrupting import InFlight
from kilde.adapters.cluster.limits import ClientLimits, TokenBucket, budget
from kilde.core.basics.errors import ClusterError
from kilde.ports.clock import Clock

WRITES: Final = frozenset(("apply", "create", "update", "patch", "delete"))
_FOREIGN: Final = (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError, ValueError)


PULSE = "pulse"  # the verb of a call that is made whatever others found out


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a call that went well (2xx)."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `about` names its object in errors; `verb` counts it; `path` is quoted already and begins with `/`."""

    method: str
    path: str
    verb: str
    about: str
    query: Mapping[str, str] | None = None
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    acting: str = ""  # the user as whom it is made, instead of whoever we act as otherwise
    patience: float | None = None  # seconds; None: ClientLimits.answer


class Transport:
    """Two pools of connections: one for requests, bounded, and one for streams. Opened at the first call."""

    def __init__(self, access: Access, clock: Clock, limits: ClientLimits) -> None:
        self._access, self._clock, self._limits = access, clock, limits
        self._bucket = TokenBucket(limits.rate, limits.burst)
        self._writes = budget(limits.writes)
        self._slots = asyncio.Semaphore(limits.connections)
        self._proxy = access.proxy_url or _proxy_of_environment(access.server)
        self._prefix = access.server.rstrip("/")
        self._sessions: _Sessions | None = None
        self._retired: list[_Sessions] = []
        self._closed = False
        self.in_flight = InFlight()
        self.counts: Counter[str] = Counter()
        tls.shrink_buffers()

    async def request(self, call: Call) -> Answer:
        """One call, tried once; again only after a 401 that a fresh credential may mend. Raises ClusterError."""
        if call.verb == PULSE:
            return await self._answered(call)
        async with self.in_flight.call(call.about):
            return await self._answered(call)

    async def _answered(self, call: Call) -> Answer:
        wait = self._bucket.reserve(self._clock.monotonic())
        if call.verb in WRITES:
            wait = max(wait, self._writes.reserve(self._clock.monotonic()))
        if wait > 0:
            await self._clock.sleep(wait)
        async with self._slots:
            credential = await self._access.credentials.current()
            try:
                return await self._request(call, credential)
            except ClusterError as error:
                fresh = await self._fresh(credential, error)
            return await self._request(call, fresh)

    async def lines(self, call: Call, *, idle: float) -> AsyncGenerator[list[bytes], None]:
        """A stream's lines, as they come, one list a chunk; ends when the server ends it. Raises ClusterError.

        `idle`: seconds without a byte after which the stream is taken for dead.
        """
        credential = await self._access.credentials.current()
        times = aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect, sock_read=idle)
        try:
            response = await self._open(call, credential, times, streams=True)
        except ClusterError as error:
            response = await self._open(call, await self._fresh(credential, error), times, streams=True)
        try:
            async for lines in _lines(response.content, self._limits.largest_event):
                yield lines
        except _FOREIGN as error:
            raise failures.from_exception(error, self._access.server, call.about) from error
        finally:
            _abandon(response)

    async def _request(self, call: Call, credential: Credential) -> Answer:
        patience = call.patience or self._limits.answer
        times = aiohttp.ClientTimeout(total=patience, sock_connect=self._limits.connect)
        response = await self._open(call, credential, times, streams=False)
        async with response:
            body = await self._body(response, call)
            return Answer(response.status, response.headers, body)

    async def _open(
        self, call: Call, credential: Credential, times: aiohttp.ClientTimeout, *, streams: bool
    ) -> aiohttp.ClientResponse:
        """The response of a call that went well, its body still unread. Raises ClusterError."""
        sessions = self._sessions_for(credential)
        self.counts[call.verb] += 1
        query = f"?{urlencode(call.query)}" if call.query else ""
        whom = (("Impersonate-User", call.acting),) if call.acting else self._access.headers
        headers = CIMultiDict([("Accept", call.accept), *whom])
        if credential.authorization:
            headers["Authorization"] = credential.authorization
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        try:
            response = await (sessions.streams if streams else sessions.requests).request(
                call.method,
                URL(f"{self._prefix}{call.path}{query}", encoded=True),
                data=call.body,
                headers=headers,
                timeout=times,
                allow_redirects=False,  # credentials are for this server alone
                proxy=self._proxy or None,
                server_hostname=self._access.tls_server_name or None,
            )
        except _FOREIGN as error:
            raise failures.from_exception(error, self._access.server, call.about) from error
        if response.status < 300:
            return response
        async with response:
            body = await self._body(response, call)
            raise failures.from_answer(response.status, response.headers, body, call.about)

    async def _body(self, response: aiohttp.ClientResponse, call: Call) -> bytes:
        chunks, size = [], 0
        try:
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > self._limits.largest_answer:
                    raise ClusterError(
                        f"the answer is larger than {self._limits.largest_answer} bytes",
                        about=call.about,
                        reason="TooLarge",
                    )
                chunks.append(chunk)
        except _FOREIGN as error:
            raise failures.from_exception(error, self._access.server, call.about) from error
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _fresh(self, refused: Credential, error: ClusterError) -> Credential:
        """A newer credential after a 401; raises the error again where there is none or where it was another error."""
        if error.status != 401:
            raise error
        fresh = await self._access.credentials.current(refused=refused)
        if fresh == refused:
            raise error
        return fresh

    def _sessions_for(self, credential: Credential) -> "_Sessions":
        if self._closed:
            raise ClusterError("the client is closed", about=self._access.server, reason="Closed")
        pair = (credential.certificate, credential.key)
        if self._sessions is None or self._sessions.pair != pair:
            if self._sessions is not None:
                self._retired.append(self._sessions)  # its calls in flight end in peace
            context = tls.context(self._access, credential)
            self._sessions = _Sessions(pair, context, self._limits)
        return self._sessions

    async def close(self) -> None:
        """Ends all connections; calls in flight fail with ClusterError."""
        self._closed = True
        for sessions in (*self._retired, *([self._sessions] if self._sessions else [])):
            await sessions.close()
        self._retired, self._sessions = [], None


class _Sessions:
    """aiohttp's sessions for one client certificate."""

    def __init__(
        self,
        pair: tuple[bytes, bytes],
        context: ssl.SSLContext | None,
        limits: ClientLimits,
    ) -> None:
        self.pair = pair
        every: CIMultiDict[str] = CIMultiDict()
        every["User-Agent"] = f"kilde/{__version__}"
        every["Accept-Encoding"] = "identity"  # gzip costs the server more than the wire costs us
        trust: Any = True if context is None else context
        self.requests = self._session(aiohttp.TCPConnector(limit=limits.connections, ssl=trust), every)
        self.streams = self._session(aiohttp.TCPConnector(limit=0, ssl=trust), every)

    def _session(self, connector: aiohttp.TCPConnector, headers: CIMultiDict[str]) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=1 << 18,
            trust_env=False,
        )

    async def close(self) -> None:
        for session in (self.requests, self.streams):
            with contextlib.suppress(OSError):
                await session.close()


def _abandon(response: aiohttp.ClientResponse) -> None:
    """Ends a stream at once: a TLS farewell would wait for a server that has no reason to answer it."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    response.close()


async def _lines(content: aiohttp.StreamReader, longest: int) -> AsyncIterator[list[bytes]]:
    """Whole lines of a stream; what follows the last line end is dropped (it was cut off)."""
    rest: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        if b"\n" not in chunk:
            rest.append(chunk)
            size += len(chunk)
            if size > longest:
                raise ValueError(f"a line is longer than {longest} bytes")
            continue
        lines = (b"".join((*rest, chunk)) if rest else chunk).split(b"\n")
        last = lines.pop()
        rest, size = ([last], len(last)) if last else ([], 0)
        yield lines


def _proxy_of_environment(server: str) -> str:
    """HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go reads them; the loopback is never behind a proxy."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    if _is_loopback(host) or proxy_bypass(host):
        return ""
    return getproxies_environment().get(parts.scheme, "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
