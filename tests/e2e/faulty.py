"""A cluster behind a proxy that fails as it is told: what a controller meets there, while whoever has its own kubeconfig meets nothing."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from faults.proxy import Disconnect, ErrorEvent, FaultProxy, Rule, Status
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import kubeconfig

T = TypeVar("T")
_WRITES = ("apply", "patch", "create", "delete")


def _conflicts() -> list[Rule]:
    return [Rule(Status(409, "Conflict"), verb=verb, times=2) for verb in _WRITES]


def _throttled() -> list[Rule]:
    limited = Status(429, "TooManyRequests", headers={"Retry-After": "1"})
    return [Rule(limited, verb=verb, times=2) for verb in (*_WRITES, "get", "list")]


def _failing() -> list[Rule]:
    codes = ((500, "InternalError"), (503, "ServiceUnavailable"))
    return [
        Rule(Status(code, reason), verb=verb) for verb in (*_WRITES, "get", "list", "watch") for code, reason in codes
    ]


def _lost() -> list[Rule]:
    """The server does what it was asked, and nobody hears of it."""
    return [Rule(Disconnect(done=True), verb=verb, times=2) for verb in _WRITES]


def _expired() -> list[Rule]:
    gone = Status(410, "Expired")
    return [
        Rule(gone, verb="watch", times=3),
        Rule(ErrorEvent(), verb="watch", times=3),
        Rule(gone, verb="list", times=2),
    ]


def _dropped() -> list[Rule]:
    return [Rule(Disconnect(), verb="watch", times=6)]


FAULTS: dict[str, Callable[[], list[Rule]]] = {
    "conflicts": _conflicts,
    "throttled": _throttled,
    "failing": _failing,
    "lost answers": _lost,
    "expired": _expired,
    "dropped watches": _dropped,
}


class Faulty:
    """The way through the proxy is `config`, `server` the address of it. It runs in a thread of its own."""

    def __init__(self, real: Path, config: Path) -> None:
        self.config = config
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faults")
        self._thread.start()
        self._proxy = self._do(lambda: FaultProxy(kubeconfig.load([real], SystemClock())))
        asyncio.run_coroutine_threadsafe(self._proxy.__aenter__(), self._loop).result(30)
        self._proxy.write_kubeconfig(config)

    @property
    def server(self) -> str:
        return self._proxy.url

    def strike(self, fault: str) -> None:
        """From now on that fault, some times, and no watch that is open now goes on."""
        rules = FAULTS[fault]()
        self._do(lambda: (self._proxy.clear(), self._proxy.add(*rules), self._proxy.drop_streams()))

    def drop(self) -> None:
        self._do(self._proxy.drop_streams)

    def heal(self) -> None:
        """No more of what was ordered."""
        self._do(lambda: (self._proxy.clear(), self._proxy.release()))

    def hold(self) -> None:
        """Silent from now on: connections are taken, and nothing is answered."""
        self._do(self._proxy.hold)

    def end(self) -> None:
        self.heal()
        asyncio.run_coroutine_threadsafe(self._proxy.__aexit__(None, None, None), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Callable[[], T]) -> T:
        async def done() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(30)


@contextmanager
def faulty(real: Path, config: Path) -> Iterator[Faulty]:
    made = Faulty(real, config)
    try:
        yield made
    finally:
        made.end()
