"""Clock: the one source of time and chance of a cluster; real, faster than real, or standing still until it is moved by hand."""

import asyncio
import random
import time
from typing import Protocol

START_OF_TESTS = 1_767_225_600.0  # 2026-01-01T00:00:00Z


class Clock(Protocol):
    """Promises: `now()` is seconds since the epoch and never goes back; `dice()` is in [0, 1)."""

    def now(self) -> float: ...

    def dice(self) -> float: ...

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Returns when `event` is set, or when `now()` has reached `until` (None: only the event counts)."""
        ...


class VirtualClock:
    """Time that runs `speed` times as fast as the machine's (0: it stands still), and can be moved on by hand at any speed."""

    def __init__(self, *, speed: float = 1.0, start: float | None = None, seed: int | None = None) -> None:
        """`start` is the present moment in seconds since the epoch; None takes the machine's."""
        self._speed = speed
        self._began, self._mark = time.time() if start is None else start, time.monotonic()
        self._random = random.Random(seed)  # noqa: S311 — jitter and tie-breaks, not secrets
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._began + (time.monotonic() - self._mark) * self._speed

    def dice(self) -> float:
        return self._random.random()

    @property
    def speed(self) -> float:
        """Seconds in here for each of the machine's; 0 for a clock that is moved by hand only."""
        return self._speed

    def run(self, speed: float) -> None:
        """Goes on at another speed from now on."""
        self._began, self._mark, self._speed = self.now(), time.monotonic(), speed
        self._announce()

    def advance(self, seconds: float) -> None:
        """Moves the time; whoever waits for a moment that is now past wakes up."""
        self._began += seconds
        self._announce()

    def _announce(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        while not event.is_set() and (until is None or self.now() < until):
            delay = None if until is None or not self._speed else (until - self.now()) / self._speed
            waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._moved.wait())]
            try:
                await asyncio.wait(waits, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)


def manual(start: float = START_OF_TESTS) -> VirtualClock:
    """A clock that stands still until `advance` is called, with the same dice each time: one outcome, and no waiting."""
    return VirtualClock(speed=0.0, start=start, seed=0)
