"""Loops: `all`, `map`, `filter` and the like, which are written out as comprehensions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.objects.cel.steps import Later, Run, Step
from kilde.core.objects.cel.values import CelError, GrowingList, GrowingMap, kind, no_overload

_GO_TYPES = {name: name.capitalize() for name in ("int", "uint", "double", "bool", "string", "bytes")}
_GO_TYPES |= {"null_type": "Null", "google.protobuf.Timestamp": "Timestamp", "google.protobuf.Duration": "Duration"}


@dataclass(slots=True)
class Loop:
    """A comprehension: `all`, `map`, `filter` and the like are written out as one."""

    loop: Mapping[str, Any]
    reach: Step
    start: Step
    condition: Step
    step: Step
    result: Step

    def run(self, run: Run) -> Any:
        """Its value."""
        names, over = self.loop, self._pairs(self.reach(run))
        begun = self.start(run)
        if isinstance(begun, list) and not begun:
            begun = GrowingList()
        elif isinstance(begun, dict) and not begun:
            begun = GrowingMap()
        before = run.variables
        variables = run.variables = dict(before)
        try:
            variables[names["sum"]] = begun
            for first, second in over:
                variables[names["item"]] = first
                if names["second"]:
                    variables[names["second"]] = second
                if not self._goes_on(run):
                    break
                try:
                    variables[names["sum"]] = self.step(run)
                except CelError as error:
                    variables[names["sum"]] = Later.failed(error)
            found = self.result(run)
        finally:
            run.variables = before
        return list(found) if type(found) is GrowingList else dict(found) if type(found) is GrowingMap else found

    def _goes_on(self, run: Run) -> bool:
        try:
            return self.condition(run) is True
        except CelError:
            return True

    def _pairs(self, over: Any) -> Any:
        if isinstance(over, list):
            return enumerate(over) if self.loop["second"] else ((one, None) for one in over)
        if isinstance(over, dict):
            return over.items()
        raise CelError(f"got 'types.{_GO_TYPES.get(kind(over), 'Object')}', expected iterable type")

    def quick(self) -> Step | None:
        """`all` and `exists`: an item that fails says nothing if another decides."""
        condition, step, start = self.loop["condition"], self.loop["step"], self.loop["start"]
        if condition.kind != "call" or condition.name != "@not_strictly_false" or start.kind != "const":
            return None
        if step.kind != "call" or step.name not in ("_&&_", "_||_"):
            return None
        return self._quick(step.name == "_&&_")

    def _quick(self, every: bool) -> Step:
        first, second, decided, each = self.loop["item"], self.loop["second"], not every, 2 if every else 3
        judge = self._judged()

        def quick(run: Run) -> bool:
            before = run.variables
            over = self._pairs(self.reach(run))
            variables = run.variables = dict(before)
            found, failed = every, None
            try:
                for one, other in over:
                    run.spend(each)
                    if found is decided:
                        break
                    variables[first] = one
                    if second:
                        variables[second] = other
                    run.spend(1)
                    try:
                        judged = judge(run)
                        if judged is decided:
                            found, failed = decided, None
                        elif judged is not every:
                            failed = failed or no_overload()
                    except CelError as error:
                        failed = failed or error
                run.spend(1)
            finally:
                run.variables = before
            if failed is not None:
                raise failed
            return found

        return quick

    def _judged(self) -> Step:
        """The condition of each item: what is beside the result so far."""
        return self.step.right  # type: ignore[attr-defined, no-any-return]


def is_bind(loop: Mapping[str, Any]) -> bool:
    reach, condition = loop["range"], loop["condition"]
    return reach.kind == "list" and not reach.parts and condition.kind == "const" and not condition.value
