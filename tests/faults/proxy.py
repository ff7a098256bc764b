"""FaultProxy: stands before an API server and does to its clients what networks and servers do, as a test orders.

    async with FaultProxy(access, clock) as proxy:
        proxy.add(Rule(Status(429, headers={"Retry-After": "2"}), verb="apply", times=3))
        ... a client with the kubeconfig of proxy.write_kubeconfig(file) ...
        assert proxy.counts["apply", "/api/v1/namespaces/shop/configmaps/a"] == 4

It serves plain HTTP on the loopback, or TLS if it is given a context and the authority clients shall trust, and goes to the server
behind it with that server's own credentials.
"""

import asyncio
import base64
import contextlib
import json
import re
import socket
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import aiohttp
from aiohttp import AddrInfoType, web
from yarl import URL

from kilde.adapters.cluster import tls
from kilde.adapters.cluster.access import Access

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "authorization", "te"})
_FAREWELL = 40.0  # seconds; asyncio gives a TLS farewell 30


@dataclass(frozen=True, slots=True)
class Status:
    """Answers with this HTTP status instead of asking the server; the body is a Kubernetes Status unless `body` is given."""

    code: int
    reason: str = ""
    message: str = "injected"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Waits so many seconds before the request goes on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SlowBody:
    """Passes the answer on in pieces of `size` bytes with `pause` seconds between."""

    size: int = 64
    pause: float = 0.05


@dataclass(frozen=True, slots=True)
class Truncate:
    """Breaks the connection after so many bytes of the answer's body."""

    after: int = 20


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Breaks the connection. `done`: after the server has done what was asked, so that only the answer is lost."""

    done: bool = False


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Answers a watch with 200 and one ERROR event."""

    code: int = 410
    reason: str = "Expired"
    message: str = "too old resource version: 1 (2)"


Fault: TypeAlias = Status | Latency | SlowBody | Truncate | Disconnect | ErrorEvent


@dataclass(slots=True)
class Rule:
    """When a fault strikes: requests of a verb ("": any) whose path matches, after `skip` of them, `times` times (None: always)."""

    fault: Fault
    verb: str = ""
    path: str = ""  # a regular expression, searched
    times: int | None = 1
    skip: int = 0
    struck: int = 0

    def strikes(self, verb: str, path: str) -> bool:
        if self.verb not in ("", verb) or not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        self.struck += 1
        return True


def verb_of(method: str, query: Mapping[str, str], path: str, content_type: str) -> str:
    """The verb as KubeCluster counts it, told from the request."""
    if method == "PATCH":
        return "apply" if "apply-patch" in content_type else "patch"
    if method != "GET":
        return {"POST": "create", "PUT": "update", "DELETE": "delete"}.get(method, method.lower())
    if query.get("watch") in ("true", "1"):
        return "watch"
    parts = path.strip("/").split("/")
    prefix = 2 if parts[0] == "api" else 3
    rest = parts[prefix:]
    if parts[0] not in ("api", "apis") or not rest:
        return "discovery"
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    return "list" if len(rest) == 1 else "get"


class FaultProxy:
    """See the module. `counts` has every request by (verb, path); `log` has them in order."""

    def __init__(self, access: Access, *, serving: ssl.SSLContext | None = None, ca: bytes = b"") -> None:
        self._access, self._serving, self._ca = access, serving, ca
        self._rules: list[Rule] = []
        self._streams: set[asyncio.Transport] = set()
        self._sockets: list[socket.socket] = []
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._port = 0
        self._speaks = asyncio.Event()
        self._speaks.set()
        self.counts: Counter[tuple[str, str]] = Counter()
        self.log: list[tuple[str, str]] = []

    async def __aenter__(self) -> Self:
        credential = await self._access.credentials.current()
        context = tls.context(self._access, credential)
        trust = True if context is None else context
        connector = aiohttp.TCPConnector(limit=0, ssl=trust, socket_factory=self._socket)
        headers = {"Authorization": credential.authorization} if credential.authorization else {}
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, auto_decompress=False)
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        if self._session is not None:
            await self._session.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                while any(one.fileno() != -1 for one in self._sockets):
                    await asyncio.sleep(0.005)

    def _socket(self, address: AddrInfoType) -> socket.socket:
        """A connection that was given up by itself still says farewell after its session is closed: all are waited for."""
        self._sockets = [one for one in self._sockets if one.fileno() != -1]
        made = socket.socket(*address[:3])
        made.setblocking(False)
        self._sockets.append(made)
        return made

    @property
    def url(self) -> str:
        return f"{'https' if self._serving else 'http'}://127.0.0.1:{self._port}"

    def write_kubeconfig(self, file: Path) -> Path:
        """A kubeconfig for clients of the proxy; they need no credentials of their own."""
        cluster = {"server": self.url}
        if self._ca:
            cluster["certificate-authority-data"] = base64.b64encode(self._ca).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "faults",
            "clusters": [{"name": "faults", "cluster": cluster}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "faults", "context": {"cluster": "faults", "user": "nobody"}}],
        }
        file.write_text(json.dumps(config))
        return file

    def add(self, *rules: Rule) -> None:
        """Rules are tried in order; the first that strikes a request decides."""
        self._rules += rules

    def clear(self) -> None:
        self._rules.clear()

    def total(self, verb: str) -> int:
        return sum(count for (counted, _), count in self.counts.items() if counted == verb)

    def drop_streams(self) -> int:
        """Breaks every watch that is open now; says how many there were."""
        streams, self._streams = self._streams, set()
        for transport in streams:
            transport.abort()
        return len(streams)

    def hold(self) -> None:
        """Takes what comes and says nothing more, on open streams either, until `release`."""
        self._speaks.clear()

    def release(self) -> None:
        self._speaks.set()

    async def refuse(self) -> None:
        """Stops listening: connections are refused and the open ones are broken, as when the server is gone."""
        self.drop_streams()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def listen(self) -> None:
        """Listens (again), on the same port."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._serving, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def refuse_for(self, seconds: float) -> None:
        await self.refuse()
        await asyncio.sleep(seconds)
        await self.listen()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        content_type = request.headers.get("Content-Type", "")
        verb = verb_of(request.method, request.query, request.path, content_type)
        self.counts[verb, request.path] += 1
        self.log.append((verb, request.path))
        await self._speaks.wait()
        fault = next((rule.fault for rule in self._rules if rule.strikes(verb, request.path)), None)
        match fault:
            case Status():
                return _status(fault)
            case ErrorEvent():
                status = {"kind": "Status", "code": fault.code, "reason": fault.reason, "message": fault.message}
                line = json.dumps({"type": "ERROR", "object": status}) + "\n"
                return web.Response(text=line, content_type="application/json")
            case Disconnect(done=False):
                return _broken(request)
            case Latency():
                await asyncio.sleep(fault.seconds)
        return await self._forward(request, fault, streams=verb == "watch")

    async def _forward(self, request: web.Request, fault: Fault | None, *, streams: bool) -> web.StreamResponse:
        assert self._session is not None
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        body = await request.read()
        times = aiohttp.ClientTimeout(total=None)
        url = URL(f"{self._access.server}{request.raw_path}", encoded=True)
        try:
            async with self._session.request(
                request.method, url, headers=headers, data=body or None, timeout=times, allow_redirects=False
            ) as answer:
                if isinstance(fault, Disconnect):
                    await answer.read()
                    return _broken(request)
                return await self._answer(request, answer, fault, streams=streams)
        except aiohttp.ClientError:
            return _broken(request)

    async def _answer(
        self, request: web.Request, answer: aiohttp.ClientResponse, fault: Fault | None, *, streams: bool
    ) -> web.StreamResponse:
        kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP}
        response = web.StreamResponse(status=answer.status, headers=kept)
        response.enable_chunked_encoding()
        await response.prepare(request)
        transport = request.transport
        if streams and isinstance(transport, asyncio.Transport):
            self._streams.add(transport)
        sent = 0
        try:
            async for chunk in answer.content.iter_any():
                await self._speaks.wait()
                for piece in _pieces(chunk, fault):
                    if isinstance(fault, Truncate) and sent + len(piece) > fault.after:
                        await response.write(piece[: fault.after - sent])
                        _broken(request)
                        return response
                    await response.write(piece)
                    sent += len(piece)
                    if isinstance(fault, SlowBody):
                        await asyncio.sleep(fault.pause)
            await response.write_eof()
        except (ConnectionError, OSError):
            pass  # the client went away, or its connection was dropped by order
        finally:
            if answer.connection is not None and answer.connection.transport is not None:
                answer.connection.transport.abort()  # a TLS farewell would wait for the server
            if isinstance(transport, asyncio.Transport):
                self._streams.discard(transport)
        return response


def _pieces(chunk: bytes, fault: Fault | None) -> Sequence[bytes]:
    size = fault.size if isinstance(fault, SlowBody) else len(chunk)
    return [chunk[start : start + size] for start in range(0, len(chunk), size)]


def _status(fault: Status) -> web.Response:
    if fault.body is not None:
        return web.Response(status=fault.code, body=fault.body, headers=fault.headers)
    said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {}}
    said |= {"message": fault.message, "reason": fault.reason, "code": fault.code}
    return web.json_response(said, status=fault.code, headers=fault.headers)


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
