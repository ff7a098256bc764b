"""Program: a checked expression made into functions that evaluate it and count what it costs, as cel-go's interpreter does both.

A name costs one, so does each field or index after it; a call by `costs.py`; a constant, and a list or map of constants, nothing.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kilde.core.objects.cel import costs, shapes
from kilde.core.objects.cel.fields import find, has, qualify
from kilde.core.objects.cel.functions import call
from kilde.core.objects.cel.shapes import UNKNOWN, Shape
from kilde.core.objects.cel.tree import Node, Tree
from kilde.core.objects.cel.values import (
    NOTHING,
    CelError,
    CostExceeded,
    GrowingList,
    GrowingMap,
    Optional,
    Type,
    Uint,
    equal,
    kind,
    no_overload,
)

Step = Callable[["Run"], Any]
_SKIPPED = object()


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
    shape: Shape = UNKNOWN
    base: Step | None = None
    adds: int = 1
    constant: bool = False
    value: Any = None


@dataclass
class Program:
    """Makes the functions of one tree; `known` are the shapes of its variables."""

    tree: Tree
    known: Mapping[str, Shape]
    _locals: list[tuple[str, Shape]] = field(default_factory=list)

    def made(self) -> Step:
        """The whole expression."""
        return self._part(self.tree.root).step

    def shape(self) -> Shape:
        """What is known of its value."""
        return self._part(self.tree.root).shape

    def _part(self, node: Node) -> Part:
        name = self.tree.names.get(node.id)
        if name is not None and node.kind == "select" and not node.tests:
            return self._named(name)
        made: Part = getattr(self, f"_of_{node.kind}")(node)
        if not made.shape.kind:
            told = self.tree.types.get(node.id, "dyn")
            made.shape = shapes.of(told) if told != "dyn" else made.shape
        return made

    def _of_const(self, node: Node) -> Part:
        value: Any = None if node.type == "null" else node.value
        if node.type == "bool":
            value = bool(value)
        elif node.type == "int":
            value = value - (1 << 64) if value >= 1 << 63 else value
        elif node.type == "uint":
            value = Uint(value)
        elif node.type == "double":
            value = _double(value)
        return _constant(value, shapes.of(node.type))

    def _of_ident(self, node: Node) -> Part:
        return self._named(node.name)

    def _named(self, name: str) -> Part:
        shape = next((shape for local, shape in reversed(self._locals) if local == name), self.known.get(name))
        if shape is None:
            return _constant(Type(name), Shape("type"))

        def base(run: Run) -> Any:
            value = run.variables[name]
            return value.forced() if type(value) is Later else value

        return _attribute(base, 1, shape)

    def _of_select(self, node: Node) -> Part:
        operand, name = self._part(node.parts[0]), node.name
        base, adds = _based(operand)
        if node.tests:

            def tests(run: Run) -> bool:
                value = base(run)
                run.spend(1)
                return has(value, name)

            return Part(tests, Shape("bool"), tests, 0)

        def select(run: Run) -> Any:
            value = base(run)
            run.spend(1)
            if type(value) is dict and name in value:
                return value[name]
            return qualify(value, name)

        return _attribute(select, adds, operand.shape.within(name))

    def _of_list(self, node: Node) -> Part:
        parts = [self._part(part) for part in node.parts]
        shape = Shape("list", parts[0].shape if parts else UNKNOWN)
        if all(part.constant for part in parts) and not node.optional:
            return _constant([part.value for part in parts], shape)
        steps = [part.step for part in parts]

        def listed(run: Run) -> list[Any]:
            try:
                found = [_entry(step(run), place in node.optional) for place, step in enumerate(steps)]
            finally:
                run.cost += costs.LIST
            run.spend(0)
            return [value for value in found if value is not _SKIPPED]

        return Part(listed, shape)

    def _of_map(self, node: Node) -> Part:
        parts = [self._part(part) for part in node.parts]
        shape = Shape("map", parts[1].shape if parts else UNKNOWN, key=parts[0].shape.kind if parts else "")
        if all(part.constant for part in parts) and not node.optional:
            return _constant(
                {key.value: value.value for key, value in zip(parts[::2], parts[1::2], strict=True)}, shape
            )
        pairs = [(key.step, value.step) for key, value in zip(parts[::2], parts[1::2], strict=True)]

        def mapped(run: Run) -> dict[Any, Any]:
            found: dict[Any, Any] = {}
            try:
                for place, (key, value) in enumerate(pairs):
                    at, one = key(run), _entry(value(run), place in node.optional)
                    if one is not _SKIPPED:
                        found[at] = one
            finally:
                run.cost += costs.MAP
            run.spend(0)
            return found

        return Part(mapped, shape)

    def _of_struct(self, node: Node) -> Part:
        name = node.name

        def unknown(_: Run) -> Any:
            raise CelError(f"unknown type: {name}")

        return Part(unknown)

    def _of_call(self, node: Node) -> Part:
        nodes = [*([node.target] if node.target is not None else []), *node.parts]
        parts = [self._part(part) for part in nodes]
        special = _SPECIAL.get(node.name)
        if special is not None and len(parts) == special[0]:
            made: Part = special[1](*parts)
            return made
        overload = self._overload(node, parts)
        if node.name in _CONVERSIONS and len(parts) == 1 and parts[0].constant:
            try:
                return _constant(call(node.name, [parts[0].value]), UNKNOWN)
            except CelError:
                pass  # evaluation says why
        if overload == "in_list" and parts[1].constant and all(_is_simple(one) for one in parts[1].value):
            return _member(parts[0], parts[1].value)
        cost = costs.BY_NAME.get(node.name) or costs.BY_OVERLOAD.get(overload)
        if node.name in _BY_ITEM and not (parts[-1].shape.item or UNKNOWN).kind:
            cost = None  # one of several, for items of several types
        return Part(_call(node.name, [part.step for part in parts], cost), _shape_of(node.name, parts))

    def _overload(self, node: Node, parts: Sequence[Part]) -> str:
        """The one overload that is left for these operands; "" where that is open."""
        found = list(self.tree.overloads.get(node.id, ()))
        for place in (1,) if node.name == "@in" else (0, 1):
            if len(found) > 1 and place < len(parts) and parts[place].shape.kind:
                word = _WORDS.get(parts[place].shape.kind, parts[place].shape.kind)
                found = [one for one in found if word in one.split("_")] or found
        if (
            len(found) > 1
            and node.name in _ONE_KIND
            and parts[0].shape.kind
            and parts[0].shape.kind == parts[1].shape.kind
        ):
            word = _WORDS.get(parts[0].shape.kind, parts[0].shape.kind)
            found = [one for one in found if one.split("_")[-1] == word] or found
        return found[0] if len(found) == 1 else ""

    def _of_loop(self, node: Node) -> Part:
        loop = node.loop
        reach, start = self._part(loop["range"]), self._part(loop["start"])
        item = reach.shape.item or UNKNOWN
        if loop["second"]:
            first = Shape("int") if reach.shape.kind == "list" else shapes.of(reach.shape.key)
            names: tuple[tuple[str, Shape], ...] = ((loop["item"], first), (loop["second"], item))
        else:
            mapped = reach.shape.kind in ("map", "object")
            names = ((loop["item"], shapes.of(reach.shape.key) if mapped else item),)
        accumulator = (loop["sum"], start.shape)
        if _is_bind(loop):
            return self._bind(loop, start)
        self._locals += [accumulator, *names]
        condition, step = self._part(loop["condition"]), self._part(loop["step"])
        del self._locals[-len(names) - 1 :]
        self._locals.append((loop["sum"], step.shape if start.shape.kind in ("list", "map") else start.shape))
        result = self._part(loop["result"])
        self._locals.pop()
        made = Loop(loop, reach.step, start.step, condition.step, step.step, result.step)
        return Part(made.quick() or made.run, result.shape)

    def _bind(self, loop: Mapping[str, Any], start: Part) -> Part:
        self._locals.append((loop["sum"], start.shape))
        result = self._part(loop["result"])
        self._locals.pop()
        name, begin, inner = loop["sum"], start.step, result.step

        def bind(run: Run) -> Any:
            run.spend(0 if loop["range"].kind == "list" else 1)
            with_later = {**run.variables, name: Later(begin, run, run.variables)}
            return _within(run, with_later, inner)

        return Part(bind, result.shape)


class Later:
    """A value that is worked out when somebody looks at it, once."""

    __slots__ = ("_begin", "_run", "_value", "_variables")

    def __init__(self, begin: Step, run: Run, variables: dict[str, Any]) -> None:
        self._begin, self._run, self._variables, self._value = begin, run, variables, _SKIPPED

    @classmethod
    def failed(cls, error: CelError) -> "Later":
        """What has no value."""

        def begin(_: Run) -> Any:
            raise error

        return cls(begin, Run({}, 0), {})

    def forced(self) -> Any:
        """The value. CelError, each time anew."""
        if self._value is _SKIPPED:
            self._value = _within(self._run, self._variables, self._begin)
        return self._value


def _within(run: Run, variables: dict[str, Any], step: Step) -> Any:
    before = run.variables
    run.variables = variables
    try:
        return step(run)
    finally:
        run.variables = before


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


def _attribute(base: Step, adds: int, shape: Shape) -> Part:
    if not adds:
        return Part(base, shape, base, 0)

    def step(run: Run) -> Any:
        try:
            value = base(run)
        except CelError:
            run.spend(1)
            raise
        run.spend(1)
        return value

    return Part(step, shape, base, adds)


def _based(part: Part) -> tuple[Step, int]:
    """What a field or an index is taken of, and what its name costs."""
    return (part.base, part.adds) if part.base is not None else (part.step, 1)


def _constant(value: Any, shape: Shape) -> Part:
    return Part(lambda _: value, shape, constant=True, value=value)


def _double(raw: bytes) -> float:
    return float(struct.unpack("<d", raw)[0])


def _entry(value: Any, optional: bool) -> Any:
    if not optional:
        return value
    if type(value) is not Optional:
        raise no_overload()
    return value.value if value.present else _SKIPPED


def _is_bind(loop: Mapping[str, Any]) -> bool:
    reach, condition = loop["range"], loop["condition"]
    return reach.kind == "list" and not reach.parts and condition.kind == "const" and not condition.value


def _is_simple(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _member(part: Part, items: Sequence[Any]) -> Part:
    """Of a list of constants: looked up, without a cost."""
    step = part.step
    if not items:
        return _constant(False, Shape("bool"))
    return Part(lambda run: any(equal(one, value) for value in (step(run),) for one in items), Shape("bool"))


def _call(name: str, steps: Sequence[Step], cost: costs.Cost | None) -> Step:
    if len(steps) == 2:
        return _call_of_two(name, steps[0], steps[1], cost)

    def called(run: Run) -> Any:
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

    return called


def _call_of_two(name: str, left: Step, right: Step, cost: costs.Cost | None) -> Step:
    def called(run: Run) -> Any:
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

    return called


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
    return Part(_Logical(left.step, right.step, False), Shape("bool"))


def _either(left: Part, right: Part) -> Part:
    return Part(_Logical(left.step, right.step, True), Shape("bool"))


def _conditional(condition: Part, yes: Part, no: Part) -> Part:
    chooses, one, other = condition.step, yes.base or yes.step, no.base or no.step

    def chosen(run: Run) -> Any:
        found = chooses(run)
        if found is True:
            return one(run)
        if found is False:
            return other(run)
        raise no_overload()

    return Part(chosen, yes.shape if yes.shape.kind else no.shape, chosen, 0)


def _index(operand: Part, index: Part) -> Part:
    base, adds = _based(operand)
    at = index.base or index.step

    def indexed(run: Run) -> Any:
        value = base(run)
        key = at(run)
        run.spend(1)
        return qualify(value, key)

    return _attribute(indexed, adds, operand.shape.within(index.value if isinstance(index.value, str) else ""))


def _optional_index(operand: Part, index: Part) -> Part:
    base, adds = _based(operand)
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

    return _attribute(indexed, adds, UNKNOWN)


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
    return Part(_call_of_two(name, left.step, right.step, cost), Shape("bool"))


def _never_false(part: Part) -> Part:
    step = part.step

    def judged(run: Run) -> bool:
        try:
            found = step(run)
        except CelError:
            found = True
        run.spend(1)
        return found is not False

    return Part(judged, Shape("bool"))


def _shape_of(name: str, parts: Sequence[Part]) -> Shape:
    if name in ("_+_", "reverse", "slice", "distinct", "sort"):
        first = parts[0].shape
        return (
            parts[1].shape
            if len(parts) > 1 and name == "_+_" and first.kind == "list" and not (first.item or UNKNOWN).kind
            else first
        )
    if name in ("-_", "_-_", "_*_", "_/_", "_%_"):
        return parts[0].shape
    if name in ("min", "max", "sum"):
        return parts[0].shape.item or UNKNOWN
    return UNKNOWN


_SPECIAL: Mapping[str, tuple[int, Callable[..., Part]]] = {
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
_CONVERSIONS = frozenset(("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"))
_BY_ITEM = frozenset(("sort", "@sortByAssociatedKeys"))
_GO_TYPES = {name: name.capitalize() for name in ("int", "uint", "double", "bool", "string", "bytes")}
_GO_TYPES |= {"null_type": "Null", "google.protobuf.Timestamp": "Timestamp", "google.protobuf.Duration": "Duration"}
_ONE_KIND = frozenset(("_+_", "_<_", "_<=_", "_>_", "_>=_"))
_WORDS = {"int": "int64", "uint": "uint64", "object": "map"}
