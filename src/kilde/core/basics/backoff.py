"""Back-off is arithmetic; the dice are thrown by the caller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """`first` seconds, times `factor` for each further failure, at most `ceiling`."""

    first: float = 1.0
    factor: float = 2.0
    ceiling: float = 60.0

    def delay(self, failures: int, *, dice: float = 0.0) -> float:
        """Seconds to wait after so many failures in a row (from 1); `dice` in [0, 1) takes up to a quarter off."""
        exact = min(self.first * self.factor ** min(max(failures, 1) - 1, 60), self.ceiling)
        return exact * (1 - dice / 4)
