"""Serves the application in the running event loop; signals stay with who runs the loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from starlette.types import ASGIApp

from kilde.core.basics.errors import KildeError

_GRACE = 2  # seconds for requests that are under way
_TICK = 0.01


class CannotListen(KildeError):
    """The address is taken, or not ours."""

    code = "cannot-listen"


class _Server(uvicorn.Server):
    """Waits for its end instead of looking for it ten times a second: an idle controller sleeps."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()

    async def main_loop(self) -> None:
        await self.ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncIterator[str]:
    """The application's URL, once it answers; leaving ends it within two seconds. `port` 0 takes a free one. CannotListen."""
    listener = _listen(host, port)
    bound = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        access_log=False,
        date_header=False,
        lifespan="off",
        limit_concurrency=200,
        log_config=None,
        log_level="critical",  # what goes wrong in a request is told by web/app.py
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=15,
        ws="none",
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.serve(sockets=[listener]), name="web")
        while not server.started and not running.done():  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(_TICK)
        try:
            yield f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
        finally:
            server.should_exit = True
            server.ending.set()
            await running
            listener.close()


async def serve(app: ASGIApp, host: str, port: int, stop: asyncio.Event) -> None:
    """Serves until `stop` is set. CannotListen."""
    async with serving(app, host, port):
        await stop.wait()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot listen: {error.strerror}", about=f"{host}:{port}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        hint = "choose another address with --listen"
        raise CannotListen(f"cannot listen: {error.strerror}", about=f"{host}:{port}", hint=hint) from error
    return listener
