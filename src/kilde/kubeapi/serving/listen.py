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


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with what it lacks: the client's certificate in the scope (DER), and an end for clients that stall.

    A request's head must come within `patience` seconds and 1 MiB, its body within six times as long; a client that does not read its
    watch is shed.
    """

    patience = 10.0

    _certificate: bytes | None = None
    _deadline: asyncio.TimerHandle | None = None
    _head = 0
    _in_head = True

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        self._expect(self.patience)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
            if self._head > _LONGEST_HEAD and len(data) < _LONGEST_HEAD:
                self.send_400_response("Request header too large.")
                return
            if self._deadline is None:
                self._expect(self.patience)
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        own: dict[object, object] = {
            "shed": self.shed,
            "abort": self.transport.abort,
        }  # abort: as a network cuts it off
        self.scope["extensions"] = {"tls": {"client_cert": self._certificate}, "kilde": own}

    def on_headers_complete(self) -> None:
        self._in_head, self._head = False, 0
        self._expect(6 * self.patience)
        super().on_headers_complete()
        if self.parser.should_upgrade():  # CONNECT and Upgrade: nothing that follows is read as a request
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._in_head = True
        self._expect(None)
        super().on_message_complete()

    def shed(self) -> None:
        """Lets what is sent last pass a client that does not read, and ends the connection whether it reads that or not."""
        self.flow.resume_writing()
        self.loop.call_later(_LINGER, self.transport.abort)

    def _expect(self, seconds: float | None) -> None:
        """The connection ends if nothing happens within so many seconds."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._stalled)

    def _stalled(self) -> None:
        self._deadline = None
        self.transport.abort()


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
        config = uvicorn.Config(
            app,
            http=type("Protocol", (_Protocol,), {"patience": patience}),
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
