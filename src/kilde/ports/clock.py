"""Clock and dice: the only time and chance the engine knows."""

from typing import Protocol


class Clock(Protocol):
    """Promises: `now()` is seconds since the epoch, `monotonic()` never goes back, `sleep` may return late but never early."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def dice(self) -> float:
        """A number in [0, 1)."""
        ...
