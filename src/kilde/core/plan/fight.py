"""When a heal is a fight: the first ten heals of a field within a minute come at once, then one every two seconds.

Pure bookkeeping; the engine holds one FightBook for each object that was ever healed, and throws it away when it has been quiet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
FREE_HEALS = 10
PAUSE_SECONDS = 2.0


@dataclass(slots=True)
class FightBook:
    """The heals of one object: when each field was healed within the last minute."""

    heals: dict[str, list[float]] = field(default_factory=dict)
    last: float = float("-inf")

    def delay(self, fields: Iterable[str], *, now: float) -> float:
        """Seconds until these fields may be healed; 0: at once."""
        if not self.is_fight(fields, now=now):
            return 0.0
        return max(0.0, self.last + PAUSE_SECONDS - now)

    def is_fight(self, fields: Iterable[str], *, now: float) -> bool:
        """Whether one of the fields was healed ten times within the last minute."""
        return any(len(self._recent(name, now)) >= FREE_HEALS for name in fields)

    def healed(self, fields: Iterable[str], *, now: float) -> None:
        self.last = now
        for name in fields:
            self.heals[name] = [*self._recent(name, now), now]

    def is_quiet(self, *, now: float) -> bool:
        """Whether nothing was healed for a minute: the book can go."""
        return now - self.last > WINDOW_SECONDS

    def _recent(self, name: str, now: float) -> list[float]:
        return [at for at in self.heals.get(name, ()) if now - at <= WINDOW_SECONDS]
