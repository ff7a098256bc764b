"""The HTTP listener: uvicorn inside the process's own loop, with the client's certificate told to the application."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Generator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kilde.kubeapi.certificates import Identity

_BACKLOG = 512
_STOP_WITHIN = 1
_LINGER = 5.0
_LONGEST_HEAD = 1 << 20  # as Go's net/http
_NOTHING, _HEAD, _BODY = 0, 1, 6  # what is awaited of a client, and how much patience it gets


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with what it lacks: the client's certificate in the scope (DER), and an end for clients that stall.

    A request's head must come within `patience` seconds and 1 MiB, its body within six times as long; a client that does not read its
    watch is shed.
    """

    patience = 10.0

    _certificate: bytes | None = None
    _deadline: asyncio.TimerHandle | None = None
    _head = 0
    _awaited = _HEAD
    _timed: int | None = None  # what the deadline is of; None once that has come

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        self._expect(_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(_NOTHING)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._awaited = self._awaited or _HEAD
        if self._awaited == _HEAD:
            self._head += len(data)
            if self._head > _LONGEST_HEAD and len(data) < _LONGEST_HEAD:
                self.send_400_response("Request header too large.")
                return
        super().data_received(data)
        if self._awaited != self._timed:  # only now: most requests come whole, and need no deadline
            self._expect(self._awaited)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._awaited = _HEAD
        own: dict[object, object] = {
            "shed": self.shed,
            "abort": self.transport.abort,
        }  # abort: as a network cuts it off
        self.scope["extensions"] = {"tls": {"client_cert": self._certificate}, "kilde": own}

    def on_headers_complete(self) -> None:
        self._awaited, self._head = _BODY, 0
        super().on_headers_complete()
        if self.parser.should_upgrade():  # CONNECT and Upgrade: nothing that follows is read as a request
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._awaited, self._timed = _NOTHING, None
        super().on_message_complete()

    def shed(self) -> None:
        """Lets what is sent last pass a client that does not read, and ends the connection whether it reads that or not."""
        self.flow.resume_writing()
        self.loop.call_later(_LINGER, self.transport.abort)

    def _expect(self, what: int) -> None:
        """The connection ends if this does not come in time."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._timed = what
        self._deadline = self.loop.call_later(what * self.patience, self._stalled) if what else None

    def _stalled(self) -> None:
        self._deadline = None
        self.transport.abort()


class _Reading(asyncio.BufferedProtocol):
    """Reads for a connection, into memory that all of them share.

    A loop that is given no buffer makes 256 KiB for whatever comes, from the system and back to it, once a request.
    """

    _shared = memoryview(bytearray(64 << 10))  # filled and handed on in one go, so no two connections use it at once

    def __init__(self, protocol: _Protocol) -> None:
        self._protocol = protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._shared

    def buffer_updated(self, nbytes: int) -> None:
        self._protocol.data_received(self._shared[:nbytes].tobytes())

    def eof_received(self) -> None:
        self._protocol.eof_received()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()


class _Server(uvicorn.Server):
    """Leaves signals to the program it runs in, and ticks once a second (for the Date header) instead of ten times."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()

    async def main_loop(self) -> None:
        while not self.ending.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), 1.0)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, so that the port is known before anything is served. OSError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # said to be TCP, for else asyncio leaves small answers waiting for the other side's acknowledgement, 40 ms each
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


class Listener:
    """Serves one ASGI application on one socket."""

    def __init__(self, app: Any, sock: socket.socket, identity: Identity | None, patience: float) -> None:
        tls: dict[str, Any] = {}
        if identity is not None:
            tls = {
                "ssl_certfile": identity.certificate,
                "ssl_keyfile": identity.key,
                "ssl_ca_certs": str(identity.ca),
                "ssl_cert_reqs": ssl.CERT_OPTIONAL,
            }
        protocol = type("Protocol", (_Protocol,), {"patience": patience})
        config = uvicorn.Config(
            app,
            http=lambda **given: _Reading(protocol(**given)),  # type: ignore[arg-type]
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            date_header=True,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_STOP_WITHIN,
            **tls,
        )
        self._server = _Server(config)
        self._sock = sock

    async def run(self) -> None:
        """Serves until `stop`."""
        await self._server.serve(sockets=[self._sock])

    async def started(self) -> None:
        """Returns when requests are answered."""
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.002)

    def stop(self) -> None:
        """Lets requests end and closes."""
        self._server.should_exit = True
        self._server.ending.set()
