"""Clock: the one source of time and chance for the controllers; real, faster than real, or moved by hand."""

import asyncio
import random
import time
from typing import Protocol


class Clock(Protocol):
    """Promises: `now()` is seconds since the epoch and never goes back; `dice()` is in [0, 1)."""

    def now(self) -> float: ...

    def dice(self) -> float: ...

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Returns when `event` is set, or when `now()` has reached `until` (None: only the event counts)."""
        ...


class RealClock:
    """The machine's time, `speed` times as fast since the clock was made."""

    def __init__(self, *, speed: float = 1.0, seed: int | None = None) -> None:
        self._speed = speed
        self._began, self._mark = time.time(), time.monotonic()
        self._random = random.Random(seed)  # noqa: S311 — jitter and tie-breaks, not secrets

    def now(self) -> float:
        return self._began + (time.monotonic() - self._mark) * self._speed

    def dice(self) -> float:
        return self._random.random()

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        if until is None:
            await event.wait()
            return
        delay = (until - self.now()) / self._speed
        if delay <= 0 or event.is_set():
            return
        try:
            async with asyncio.timeout(delay):
                await event.wait()
        except TimeoutError:
            return


class ManualClock:
    """Time stands still until `advance` is called: a rollout of an hour takes no time and has one outcome."""

    def __init__(self, start: float = 1_767_225_600.0, *, seed: int = 0) -> None:
        self._now = start
        self._random = random.Random(seed)  # noqa: S311 — jitter and tie-breaks, not secrets
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._now

    def dice(self) -> float:
        return self._random.random()

    def advance(self, seconds: float) -> None:
        """Moves the time; whoever waits for a moment that is now past wakes up."""
        self._now += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        while not event.is_set() and (until is None or self._now < until):
            waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._moved.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
