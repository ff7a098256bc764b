"""SystemClock: the machine's own time and chance."""

import asyncio
import random
import time


class SystemClock:
    """Keeps ports.clock.Clock's promises."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def dice(self) -> float:
        return random.random()  # noqa: S311  # spreads load; guards nothing
