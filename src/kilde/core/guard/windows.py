"""Windows: for how long, of which applications, why and by whom the guard is open."""

from dataclasses import dataclass
from typing import Any

from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object

LONGEST = 24 * 3600.0  # seconds; an emergency that lasts longer is opened anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One opening. `applications` empty: all of them. `until` in seconds since the epoch; `number` is its record in the ledger."""

    name: str
    who: str
    reason: str
    until: float
    applications: frozenset[str] = frozenset()
    number: int = 0

    def covers(self, application: str) -> bool:
        return not self.applications or application in self.applications

    @property
    def told(self) -> str:
        """What an application's condition says of it."""
        return f"{self.who} opened the guard until {rfc3339(self.until)}: {self.reason}; nothing is put back until then"


def read_window(body: Object, *, now: float) -> Window | str:
    """The window that a ConfigMap asks for, or what is wrong with it. It ends within a day, whatever is asked."""
    name = str((body.get("metadata") or {}).get("name", ""))
    data: dict[str, Any] = body.get("data") or {}
    reason, until = str(data.get("reason") or "").strip(), parse(str(data.get("until") or ""))
    if not reason:
        return "has no reason"
    if until is None:
        return "says in `until` no time such as 2026-01-31T12:00:00Z"
    asked = [part.strip() for part in str(data.get("applications") or "").split(",")]
    return Window(
        name=name,
        who=str(data.get("who") or "unknown")[:200],
        reason=reason[:500],
        until=min(until, now + LONGEST),
        applications=frozenset(filter(None, asked)),
    )
