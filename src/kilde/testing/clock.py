"""FakeClock: virtual time. Nothing passes until a test says so; who sleeps is woken in order."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

_TURNS = 20  # of the loop, after each waking, so that what was woken can go as far as its next sleep


class FakeClock:
    """Keeps ports.clock.Clock's promises. `dice` is what every throw gives, or a function that gives it."""

    def __init__(self, start: float = 1_700_000_000.0, *, dice: float | Callable[[], float] = 0.5) -> None:
        self._start, self._passed = start, 0.0
        self._dice = dice
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._start + self._passed

    def monotonic(self) -> float:
        return self._passed

    def dice(self) -> float:
        return self._dice() if callable(self._dice) else self._dice

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + seconds, next(self._order), waker))
        await waker

    @property
    def next_waking(self) -> float | None:
        """Seconds until the next sleeper is due; None while nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # it was cancelled
        return self._sleepers[0][0] - self._passed if self._sleepers else None

    async def advance(self, seconds: float) -> None:
        """Lets so much time pass; every sleeper that is due is woken at its own moment."""
        await self._settle()
        until = self._passed + seconds
        while (wait := self.next_waking) is not None and self._passed + wait <= until:
            due, _, waker = heapq.heappop(self._sleepers)
            self._passed = max(self._passed, due)
            waker.set_result(None)
            await self._settle()
        self._passed = until

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
