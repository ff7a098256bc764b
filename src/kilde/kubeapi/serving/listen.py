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


class _Protocol(HttpToolsProtocol):
    """Puts the client's certificate into the scope, as ASGI's TLS extension does (DER instead of PEM)."""

    _certificate: bytes | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if tls is not None else None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        abort = self.transport.abort  # the connection is cut off, as a network does it
        extensions: dict[str, Any] = {"tls": {"client_cert": self._certificate}, "kilde.abort": abort}
        self.scope["extensions"] = extensions


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
    sock = socket.socket(family, socket.SOCK_STREAM)
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

    def __init__(self, app: Any, sock: socket.socket, identity: Identity | None) -> None:
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
            http=_Protocol,
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
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
