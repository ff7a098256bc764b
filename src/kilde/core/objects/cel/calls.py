"""Calls: operators that decide for themselves what of them is evaluated, and functions, which are evaluated after their operands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kilde.core.objects.cel import costs
from kilde.core.objects.cel.fields import find, qualify
from kilde.core.objects.cel.functions import call
from kilde.core.objects.cel.steps import Part, Run, Step, attribute, based, constant
from kilde.core.objects.cel.values import NOTHING, CelError, Optional, equal, no_overload


def is_simple(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def member(part: Part, items: Sequence[Any]) -> Part:
    """Of a list of constants: looked up, without a cost."""
    step = part.step
    if not items:
        return constant(False)
    return Part(lambda run: any(equal(one, value) for value in (step(run),) for one in items))


def called(name: str, steps: Sequence[Step], cost: costs.Cost | None) -> Step:
    if len(steps) == 2:
        return _call_of_two(name, steps[0], steps[1], cost)

    def evaluated(run: Run) -> Any:
        try:
            args = [step(run) for step in steps]
        except CelError:
            run.spend(1 if len(steps) == 1 else 0)
            raise
        try:
            result = call(name, args)
        except CelError:
            run.spend(cost(args, None) if cost is not None else 1)
            raise
        run.spend(cost(args, result) if cost is not None else 1)
        return result

    return evaluated


def _call_of_two(name: str, left: Step, right: Step, cost: costs.Cost | None) -> Step:
    def evaluated(run: Run) -> Any:
        try:
            one = left(run)
        except CelError:
            _ignored(right, run)
            run.spend(1)
            raise
        try:
            other = right(run)
        except CelError:
            run.spend(1)
            raise
        try:
            result = call(name, [one, other])
        except CelError:
            run.spend(cost((one, other), None) if cost is not None else 1)
            raise
        run.spend(cost((one, other), result) if cost is not None else 1)
        return result

    return evaluated


def _ignored(step: Step, run: Run) -> None:
    try:
        step(run)
    except CelError:
        return


class _Logical:
    """`&&` and `||`: the other side may decide where one has no value."""

    __slots__ = ("_decides", "_left", "right")

    def __init__(self, left: Step, right: Step, decides: bool) -> None:
        self._left, self.right, self._decides = left, right, decides

    def __call__(self, run: Run) -> bool:
        failed: CelError | None = None
        for step in (self._left, self.right):
            try:
                value = step(run)
            except CelError as error:
                failed = failed or error
                continue
            if value is self._decides:
                return value
            if type(value) is not bool:
                failed = failed or no_overload()
        if failed is not None:
            raise failed
        return not self._decides


def _both(left: Part, right: Part) -> Part:
    return Part(_Logical(left.step, right.step, False))


def _either(left: Part, right: Part) -> Part:
    return Part(_Logical(left.step, right.step, True))


def _conditional(condition: Part, yes: Part, no: Part) -> Part:
    chooses, one, other = condition.step, yes.base or yes.step, no.base or no.step

    def chosen(run: Run) -> Any:
        found = chooses(run)
        if found is True:
            return one(run)
        if found is False:
            return other(run)
        raise no_overload()

    return Part(chosen, chosen, 0)


def _index(operand: Part, index: Part) -> Part:
    base, adds = based(operand)
    at = index.base or index.step

    def indexed(run: Run) -> Any:
        value = base(run)
        key = at(run)
        run.spend(1)
        return qualify(value, key)

    return attribute(indexed, adds)


def _optional_index(operand: Part, index: Part) -> Part:
    base, adds = based(operand)
    at = index.base or index.step

    def indexed(run: Run) -> Any:
        value = base(run)
        if type(value) is Optional:
            if not value.present:
                return NOTHING
            value = value.value
        found, there = find(value, at(run))
        if not there:
            return NOTHING
        run.spend(1)
        return Optional(found, True)

    return attribute(indexed, adds)


def _optional_or(operand: Part, other: Part) -> Part:
    return Part(lambda run: found if (found := _optional(operand.step(run))).present else _optional(other.step(run)))


def _optional_or_value(operand: Part, other: Part) -> Part:
    return Part(lambda run: found.value if (found := _optional(operand.step(run))).present else other.step(run))


def _optional(value: Any) -> Optional:
    if type(value) is not Optional:
        raise no_overload()
    return value


def _equals(left: Part, right: Part) -> Part:
    return _comparison("_==_", left, right, costs.equals)


def _differs(left: Part, right: Part) -> Part:
    return _comparison("_!=_", left, right, costs.compared)


def _comparison(name: str, left: Part, right: Part, cost: costs.Cost) -> Part:
    return Part(_call_of_two(name, left.step, right.step, cost))


def _never_false(part: Part) -> Part:
    step = part.step

    def judged(run: Run) -> bool:
        try:
            found = step(run)
        except CelError:
            found = True
        run.spend(1)
        return found is not False

    return Part(judged)


SPECIAL: Mapping[str, tuple[int, Callable[..., Part]]] = {
    "_&&_": (2, _both),
    "_||_": (2, _either),
    "_?_:_": (3, _conditional),
    "_[_]": (2, _index),
    "_[?_]": (2, _optional_index),
    "_?._": (2, _optional_index),
    "_==_": (2, _equals),
    "_!=_": (2, _differs),
    "or": (2, _optional_or),
    "orValue": (2, _optional_or_value),
    "@not_strictly_false": (1, _never_false),
}
CONVERSIONS = frozenset(("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"))
