"""Deletion budgets: how much one sync, and all syncs of a while together, may delete before a person has to say so. Arithmetic only.

A budget is written as `5`, `10%`, `5,10%` (whichever is larger), or `off`; with `,any-kind` a Namespace and its like count as any other
object. What cannot be read permits nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.reading import duration

OFF, ANY_KIND = "off", "any-kind"
_LARGEST = 1_000_000
_FORMS = "write a number, a percentage or both (5,10%), or off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be deleted at once: so many objects, or so many in a hundred, whichever is more.

    `any_kind`: no kind is over by itself. `problem` is why a text could not be read; then nothing may be deleted.
    """

    objects: int = 0
    percent: int = 0
    any_kind: bool = False
    off: bool = False
    problem: str = ""

    def allowance(self, total: int) -> int:
        """How many of `total` objects may go; all of them where the budget is off."""
        return total if self.off else max(self.objects, total * self.percent // 100)

    def __str__(self) -> str:
        if self.problem or self.off:
            return self.problem or OFF
        parts = [str(self.objects)] if self.objects or not self.percent else []
        parts += [f"{self.percent}%"] if self.percent else []
        return ",".join([*parts, *([ANY_KIND] if self.any_kind else [])])


DEFAULT = Budget(objects=5, percent=10)


def read_budget(text: str) -> Budget:
    """Parses; never raises: a text that is none gives a budget that permits nothing, with the reason in `problem`."""
    words = [word.strip() for word in text.split(",")]
    if words == [OFF]:
        return Budget(off=True)
    found: dict[str, int] = {}
    any_kind = ANY_KIND in words
    for word in (word for word in words if word != ANY_KIND):
        key, digits = ("percent", word[:-1]) if word.endswith("%") else ("objects", word)
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 7) or key in found:
            return Budget(problem=f"'{text[:80]}' is no deletion budget ({_FORMS})")
        found[key] = min(int(digits), _LARGEST)
    if not found or found.get("percent", 0) > 100:
        return Budget(problem=f"'{text[:80]}' is no deletion budget ({_FORMS})")
    return Budget(objects=found.get("objects", 0), percent=found.get("percent", 0), any_kind=any_kind)


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget, and who set it, as people are told."""

    budget: Budget
    by: str

    def excess(self, weights: Iterable[int], special: Iterable[str], *, total: int) -> str:
        """Why a deletion is over the budget; "" where it is within it.

        `weights` says of each object how many go with it, itself included; `special` why some are over by themselves; `total` is how
        many objects there are.
        """
        going, budget = sum(weights), self.budget
        if budget.off or not going:
            return ""
        if budget.problem:
            return f"{self.by}: {budget.problem}"
        if going > budget.allowance(total):
            of = f"{going} of {max(total, going)} object{'' if max(total, going) == 1 else 's'}"
            return f"{of} would be deleted, and the budget is {budget.allowance(total)} ({budget}, {self.by})"
        reasons = () if budget.any_kind else tuple(special)
        return "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetBudget:
    """What all applications together may lose within so many seconds."""

    budget: Budget
    seconds: float = 600.0

    def __str__(self) -> str:
        return str(self.budget) if self.budget.off else f"{self.budget}/{self.seconds:g}s"


FLEET_DEFAULT = FleetBudget(budget=Budget(objects=20, percent=5))


def read_fleet_budget(text: str) -> FleetBudget:
    """`20,5%/10m`, or `off`. Never raises: see `read_budget`."""
    limit, slash, window = text.partition("/")
    seconds = duration(window) if slash else FLEET_DEFAULT.seconds
    budget = read_budget(limit)
    if seconds is None or seconds <= 0:
        budget = Budget(problem=f"'{text[:80]}' has no time in which it may be spent (write 20,5%/10m)")
    return FleetBudget(budget=budget, seconds=seconds or FLEET_DEFAULT.seconds)


@dataclass(slots=True)
class Spent:
    """What was deleted lately: of each object (by uid) when, and how many went with it. Counted once, however often it is tried."""

    _gone: dict[str, tuple[float, int]] = field(default_factory=dict)

    def spend(self, weights: Mapping[str, int], *, now: float) -> None:
        for uid, weight in weights.items():
            self._gone.setdefault(uid, (now, weight))

    def within(self, seconds: float, *, now: float) -> int:
        """How many objects went within the last so many seconds; what is older is forgotten."""
        self._gone = {uid: spent for uid, spent in self._gone.items() if now - spent[0] < seconds}
        return sum(weight for _, weight in self._gone.values())

    def excess(self, weights: Mapping[str, int], fleet: FleetBudget, *, total: int, now: float) -> str:
        """Why these deletions are over the budget of the fleet, which has `total` objects; "" where they are within it."""
        if fleet.budget.off or not weights:
            return ""
        if fleet.budget.problem:
            return f"--fleet-deletion-budget: {fleet.budget.problem}"
        before = self.within(fleet.seconds, now=now)
        more = sum(weight for uid, weight in weights.items() if uid not in self._gone)
        if more == 0 or before + more <= fleet.budget.allowance(total):
            return ""
        return (
            f"all applications together would lose {before + more} objects within {fleet.seconds:g} s, and the budget is "
            f"{fleet.budget.allowance(total)} ({fleet}, --fleet-deletion-budget)"
        )
