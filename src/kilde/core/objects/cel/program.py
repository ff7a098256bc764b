"""Program: a checked expression made into steps that evaluate it and count what it costs, as cel-go's interpreter does both.

A name costs one, so does each field or index after it; a call by `costs.py`; a constant, and a list or map of constants, nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kilde.core.objects.cel import costs
from kilde.core.objects.cel.calls import CONVERSIONS, SPECIAL, called, is_simple, member
from kilde.core.objects.cel.declarations import TYPES
from kilde.core.objects.cel.fields import has, qualify
from kilde.core.objects.cel.functions import call
from kilde.core.objects.cel.loops import Loop, is_bind
from kilde.core.objects.cel.searches import matches
from kilde.core.objects.cel.steps import SKIPPED, Later, Part, Run, Step, attribute, based, constant, within
from kilde.core.objects.cel.tree import Node, Tree
from kilde.core.objects.cel.values import CelError, Optional, Struct, Type, no_overload

_BY_ITEM = frozenset(("sort", "@sortByAssociatedKeys"))
_PATTERNS = frozenset(("matches", "find", "findAll"))


@dataclass
class Program:
    """Makes the functions of one tree. `faults` is what is wrong with constants in it, in cel-go's words."""

    tree: Tree
    faults: list[str] = field(default_factory=list)
    _locals: list[str] = field(default_factory=list)

    def made(self) -> Step:
        """The whole expression."""
        return self._part(self.tree.root).step

    def _part(self, node: Node) -> Part:
        made: Part = getattr(self, f"_of_{node.kind}")(node)
        return made

    def _of_const(self, node: Node) -> Part:
        return constant(node.constant)

    def _of_ident(self, node: Node) -> Part:
        name = node.name
        if name not in self._locals and self.tree.types[node.id].kind == "type" and name in TYPES:
            return constant(Type(name))

        def base(run: Run) -> Any:
            value = run.variables[name]
            return value.forced() if type(value) is Later else value

        return attribute(base, 1)

    def _of_select(self, node: Node) -> Part:
        operand, name = self._part(node.parts[0]), node.name
        base, adds = based(operand)
        if node.tests:

            def tests(run: Run) -> bool:
                value = base(run)
                run.spend(1)
                return has(value, name)

            return Part(tests, tests, 0)

        def select(run: Run) -> Any:
            value = base(run)
            run.spend(1)
            if type(value) is dict and name in value:
                return value[name]
            return qualify(value, name)

        return attribute(select, adds)

    def _of_list(self, node: Node) -> Part:
        parts = [self._part(part) for part in node.parts]
        if all(part.constant for part in parts) and not node.optional:
            return constant([part.value for part in parts])
        steps = [part.step for part in parts]

        def listed(run: Run) -> list[Any]:
            try:
                found = [_entry(step(run), place in node.optional) for place, step in enumerate(steps)]
            finally:
                run.cost += costs.LIST
            run.spend(0)
            return [value for value in found if value is not SKIPPED]

        return Part(listed)

    def _of_map(self, node: Node) -> Part:
        parts = [self._part(part) for part in node.parts]
        if all(part.constant for part in parts) and not node.optional:
            return constant({key.value: value.value for key, value in zip(parts[::2], parts[1::2], strict=True)})
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

        return Part(mapped)

    def _of_struct(self, node: Node) -> Part:
        fields = [
            (name, self._part(part).step, place in node.optional)
            for place, (name, part) in enumerate(zip(node.fields, node.parts, strict=True))
        ]

        kind = self.tree.types[node.id].name

        def made(run: Run) -> dict[str, Any]:
            try:
                found = {name: _entry(step(run), optional) for name, step, optional in fields}
            finally:
                run.cost += costs.STRUCT
            run.spend(0)
            return Struct(kind, {name: value for name, value in found.items() if value is not SKIPPED})

        return Part(made)

    def _of_call(self, node: Node) -> Part:
        nodes = [*([node.target] if node.target is not None else []), *node.parts]
        parts = [self._part(part) for part in nodes]
        special = SPECIAL.get(node.name)
        if special is not None and len(parts) == special[0]:
            made: Part = special[1](*parts)
            return made
        overloads = self.tree.overloads.get(node.id, ())
        overload = overloads[0] if len(overloads) == 1 else ""
        if node.name in CONVERSIONS and len(parts) == 1 and parts[0].constant:
            try:
                return constant(call(node.name, [parts[0].value]))
            except CelError as error:
                self.faults.append(str(error))
        if node.name in _PATTERNS and len(parts) > 1 and parts[1].constant:
            self._check_pattern(parts[1].value)
        if overload == "in_list" and parts[1].constant and all(is_simple(one) for one in parts[1].value):
            return member(parts[0], parts[1].value)
        cost = costs.BY_NAME.get(node.name) or costs.BY_OVERLOAD.get(overload)
        if node.name in _BY_ITEM and not overload:
            cost = None  # one of several, for items of several types
        return Part(called(node.name, [part.step for part in parts], cost))

    def _check_pattern(self, pattern: Any) -> None:
        try:
            matches("", pattern)
        except CelError as error:
            self.faults.append(str(error))

    def _of_loop(self, node: Node) -> Part:
        loop = node.loop
        if is_bind(loop):
            return self._bind(loop)
        reach, start = self._part(loop["range"]), self._part(loop["start"])
        names = [loop[name] for name in ("sum", "item", "second") if loop[name]]
        self._locals += names
        condition, step = self._part(loop["condition"]), self._part(loop["step"])
        result = self._part(loop["result"])
        del self._locals[-len(names) :]
        made = Loop(loop, reach.step, start.step, condition.step, step.step, result.step)
        return Part(made.quick() or made.run)

    def _bind(self, loop: Mapping[str, Any]) -> Part:
        begin = self._part(loop["start"]).step
        self._locals.append(loop["sum"])
        inner = self._part(loop["result"]).step
        self._locals.pop()
        name = loop["sum"]

        def bind(run: Run) -> Any:
            run.spend(0 if loop["range"].kind == "list" else 1)
            with_later = {**run.variables, name: Later(begin, run, run.variables)}
            return within(run, with_later, inner)

        return Part(bind)


def _entry(value: Any, optional: bool) -> Any:
    if not optional:
        return value
    if type(value) is not Optional:
        raise no_overload()
    return value.value if value.present else SKIPPED
