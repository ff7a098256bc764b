"""The loop that runs upkeep: woken by changes, a slice of work at a time, so that requests are never kept waiting."""

import asyncio
from functools import partial

import structlog

from kilde.kubeapi.storage.records import Change
from kilde.kubeapi.upkeep.garbage import Garbage
from kilde.kubeapi.upkeep.namespaces import Namespaces
from kilde.kubeapi.upkeep.token_secrets import TokenSecrets
from kilde.kubeapi.webhooks.questions import Memory
from kilde.kubeapi.webhooks.settling import settled
from kilde.kubeapi.world import World

_log = structlog.get_logger("kilde.kubeapi.upkeep")
_SLICE = 50


class Upkeep:
    """Garbage collection and the end of namespaces, for as long as `run` runs."""

    def __init__(self, world: World, ca: str) -> None:
        """`ca` is the PEM of the authority that signed the server's certificate."""
        self._workers = (Garbage(world), Namespaces(world), TokenSecrets(world, ca))
        self._webhooks = world.webhooks
        self._wake = asyncio.Event()
        self._stop = world.store.listen("", self._changed)
        if any(worker.waiting for worker in self._workers):
            self._wake.set()

    def _changed(self, change: Change) -> None:
        for worker in self._workers:
            worker.changed(change)
            if worker.waiting:
                self._wake.set()

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._work()
        finally:
            self._stop()

    async def _work(self) -> None:
        while any(worker.waiting for worker in self._workers):
            for worker in self._workers:
                for _ in range(min(_SLICE, len(worker.waiting))):
                    about = next(iter(worker.waiting))
                    del worker.waiting[about]
                    try:
                        memory = Memory()
                        await settled(self._webhooks, partial(worker.attend, about, memory), memory)
                    except Exception:  # noqa: BLE001 - one object that cannot be kept must not end the keeping of the others
                        _log.exception("upkeep failed", about=about)
            await asyncio.sleep(0)
