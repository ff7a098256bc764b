"""A keyed queue: at most one pass at a time for each key; asked for again meanwhile, it runs once more; delays are deduplicated."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from kilde.engine.tasks import TaskOwner

K = TypeVar("K", bound=Hashable)


class KeyedQueue(Generic[K]):
    """Runs `handler(key)`, each run in its own task; what it returns is the delay after which to run again (None: no more)."""

    def __init__(self, tasks: TaskOwner, handler: Callable[[K], Awaitable[float | None]], *, name: str) -> None:
        self._tasks, self._handler, self._name = tasks, handler, name
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}

    def add(self, key: K, *, delay: float = 0.0) -> None:
        """Asks for a pass, now or after `delay` seconds; the earlier of two wishes counts."""
        if delay > 0:
            self._later(key, delay)
            return
        self._cancel_timer(key)
        if key in self._running:
            self._again.add(key)
            return
        self._running.add(key)
        self._tasks.start(f"{self._name} {key}", self._run(key))

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, key: K) -> bool:
        """Whether a pass runs for it, or is asked for."""
        return key in self._running or key in self._timers

    def _later(self, key: K, delay: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + delay
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= at:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_at(at, self._due, key)

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def _run(self, key: K) -> None:
        try:
            delay: float | None = None
            while True:
                self._again.discard(key)
                delay = await self._handler(key)
                if key not in self._again:
                    break
        finally:
            self._running.discard(key)
            self._again.discard(key)
        if delay is not None:
            self.add(key, delay=max(delay, 0.001))

    def close(self) -> None:
        """Forgets all delayed wishes."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
