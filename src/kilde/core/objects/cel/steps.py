"""Steps: what a part of an expression is made into, and one evaluation of it, which counts what it costs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kilde.core.objects.cel.values import CelError, CostExceeded

Step = Callable[["Run"], Any]
SKIPPED = object()


class Run:
    """One evaluation: the variables, and what it has cost so far."""

    __slots__ = ("cost", "limit", "variables")

    def __init__(self, variables: dict[str, Any], limit: int) -> None:
        self.variables, self.limit, self.cost = variables, limit, 0

    def spend(self, cost: int) -> None:
        """Counts. CostExceeded."""
        self.cost += cost
        if self.cost > self.limit:
            raise CostExceeded


@dataclass(slots=True)
class Part:
    """A part of an expression. `base` is what it is without what a name costs, where it begins with one: `adds` is that cost."""

    step: Step
    base: Step | None = None
    adds: int = 1
    constant: bool = False
    value: Any = None


class Later:
    """A value that is worked out when somebody looks at it, once."""

    __slots__ = ("_begin", "_run", "_value", "_variables")

    def __init__(self, begin: Step, run: Run, variables: dict[str, Any]) -> None:
        self._begin, self._run, self._variables, self._value = begin, run, variables, SKIPPED

    @classmethod
    def failed(cls, error: CelError) -> "Later":
        """What has no value."""

        def begin(_: Run) -> Any:
            raise error

        return cls(begin, Run({}, 0), {})

    def forced(self) -> Any:
        """The value. CelError, each time anew."""
        if self._value is SKIPPED:
            self._value = within(self._run, self._variables, self._begin)
        return self._value


def within(run: Run, variables: dict[str, Any], step: Step) -> Any:
    before = run.variables
    run.variables = variables
    try:
        return step(run)
    finally:
        run.variables = before


def constant(value: Any) -> Part:
    return Part(lambda _: value, constant=True, value=value)


def attribute(base: Step, adds: int) -> Part:
    if not adds:
        return Part(base, base, 0)

    def step(run: Run) -> Any:
        try:
            value = base(run)
        except CelError:
            run.spend(1)
            raise
        run.spend(1)
        return value

    return Part(step, base, adds)


def based(part: Part) -> tuple[Step, int]:
    """What a field or an index is taken of, and what its name costs."""
    return (part.base, part.adds) if part.base is not None else (part.step, 1)
