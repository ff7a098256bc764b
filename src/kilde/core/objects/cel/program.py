"""Program: a checked expression made into steps that evaluate it and count what it costs, as cel-go's interpreter does both.

A name costs one, so does each field or index after it; a call by `costs.py`; a constant, and a list or map of constants, nothing.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kilde.core.objects.cel import costs, shapes
from kilde.core.objects.cel.calls import CONVERSIONS, SPECIAL, called, is_simple, member, shape_of
from kilde.core.objects.cel.fields import has, qualify
from kilde.core.objects.cel.functions import call
from kilde.core.objects.cel.loops import Loop, is_bind
from kilde.core.objects.cel.shapes import UNKNOWN, Shape
from kilde.core.objects.cel.steps import SKIPPED, Later, Part, Run, Step, attribute, based, constant, within
from kilde.core.objects.cel.tree import Node, Tree
from kilde.core.objects.cel.values import CelError, Optional, Type, Uint, no_overload

_BY_ITEM = frozenset(("sort", "@sortByAssociatedKeys"))
_ONE_KIND = frozenset(("_+_", "_<_", "_<=_", "_>_", "_>=_"))
_WORDS = {"int": "int64", "uint": "uint64", "object": "map"}


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
        return constant(value, shapes.of(node.type))

    def _of_ident(self, node: Node) -> Part:
        return self._named(node.name)

    def _named(self, name: str) -> Part:
        shape = next((shape for local, shape in reversed(self._locals) if local == name), self.known.get(name))
        if shape is None:
            return constant(Type(name), Shape("type"))

        def base(run: Run) -> Any:
            value = run.variables[name]
            return value.forced() if type(value) is Later else value

        return attribute(base, 1, shape)

    def _of_select(self, node: Node) -> Part:
        operand, name = self._part(node.parts[0]), node.name
        base, adds = based(operand)
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

        return attribute(select, adds, operand.shape.within(name))

    def _of_list(self, node: Node) -> Part:
        parts = [self._part(part) for part in node.parts]
        shape = Shape("list", parts[0].shape if parts else UNKNOWN)
        if all(part.constant for part in parts) and not node.optional:
            return constant([part.value for part in parts], shape)
        steps = [part.step for part in parts]

        def listed(run: Run) -> list[Any]:
            try:
                found = [_entry(step(run), place in node.optional) for place, step in enumerate(steps)]
            finally:
                run.cost += costs.LIST
            run.spend(0)
            return [value for value in found if value is not SKIPPED]

        return Part(listed, shape)

    def _of_map(self, node: Node) -> Part:
        parts = [self._part(part) for part in node.parts]
        shape = Shape("map", parts[1].shape if parts else UNKNOWN, key=parts[0].shape.kind if parts else "")
        if all(part.constant for part in parts) and not node.optional:
            return constant({key.value: value.value for key, value in zip(parts[::2], parts[1::2], strict=True)}, shape)
        pairs = [(key.step, value.step) for key, value in zip(parts[::2], parts[1::2], strict=True)]

        def mapped(run: Run) -> dict[Any, Any]:
            found: dict[Any, Any] = {}
            try:
                for place, (key, value) in enumerate(pairs):
                    at, one = key(run), _entry(value(run), place in node.optional)
                    if one is not SKIPPED:
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
        special = SPECIAL.get(node.name)
        if special is not None and len(parts) == special[0]:
            made: Part = special[1](*parts)
            return made
        overload = self._overload(node, parts)
        if node.name in CONVERSIONS and len(parts) == 1 and parts[0].constant:
            try:
                return constant(call(node.name, [parts[0].value]), UNKNOWN)
            except CelError:
                pass  # evaluation says why
        if overload == "in_list" and parts[1].constant and all(is_simple(one) for one in parts[1].value):
            return member(parts[0], parts[1].value)
        cost = costs.BY_NAME.get(node.name) or costs.BY_OVERLOAD.get(overload)
        if node.name in _BY_ITEM and not (parts[-1].shape.item or UNKNOWN).kind:
            cost = None  # one of several, for items of several types
        return Part(called(node.name, [part.step for part in parts], cost), shape_of(node.name, parts))

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
        if is_bind(loop):
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
            return within(run, with_later, inner)

        return Part(bind, result.shape)


def _double(raw: bytes) -> float:
    return float(struct.unpack("<d", raw)[0])


def _entry(value: Any, optional: bool) -> Any:
    if not optional:
        return value
    if type(value) is not Optional:
        raise no_overload()
    return value.value if value.present else SKIPPED
