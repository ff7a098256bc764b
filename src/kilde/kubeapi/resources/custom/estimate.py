"""What an expression may cost at most: cel-go's estimate (checker/cost.go), by the sizes that a schema bounds.

Costs and sizes are pairs (least, most) of whole numbers up to MOST; sums and products stop there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from kilde.core.objects.cel.tree import Node, Tree
from kilde.kubeapi.resources.custom.declared import Declared

_T = TypeVar("_T")
MOST = (1 << 64) - 1
_TRAVERSAL, _REGEX = 0.1, 0.25  # of a character of a text, of a pattern
_LIST, _MAP, _STRUCT = 10, 30, 40
_SCALARS = frozenset(("bool", "int", "uint", "double", "timestamp", "duration"))
_ACCUMULATORS = frozenset(("__result__", "@result"))


class Pair(NamedTuple):
    """From least to most."""

    least: int
    most: int

    def plus(self, other: "Pair") -> "Pair":
        return Pair(min(self.least + other.least, MOST), min(self.most + other.most, MOST))

    def by(self, other: "Pair") -> "Pair":
        return Pair(min(self.least * other.least, MOST), min(self.most * other.most, MOST))

    def scaled(self, factor: float) -> "Pair":
        return Pair(_scaled(self.least, factor), _scaled(self.most, factor))

    def union(self, other: "Pair") -> "Pair":
        return Pair(min(self.least, other.least), max(self.most, other.most))


def _scaled(number: int, factor: float) -> int:
    return MOST if float(number) * factor >= 2.0**64 else math.ceil(float(number) * factor)


def fixed(number: int) -> Pair:
    return Pair(number, number)


UNKNOWN = Pair(0, MOST)
ONE, NOTHING = fixed(1), fixed(0)


class Entry(NamedTuple):
    """The sizes of what is in a list ("list") or map ("map")."""

    kind: str
    key: Pair
    value: Pair

    def union(self, other: "Entry | None") -> "Entry | None":
        return None if other is None else Entry(self.kind, self.key.union(other.key), self.value.union(other.value))


class Called(NamedTuple):
    """What a call costs beside its arguments, and the size of its result."""

    cost: Pair
    size: Pair | None = None


@dataclass(frozen=True, slots=True)
class Local:
    """A variable of a loop or bind."""

    path: tuple[str, ...]
    size: Pair | None
    entry: Entry | None = None


@dataclass
class Estimate:
    """One expression's. `root` is what its variables are, or the one called `only`, if there is a name."""

    tree: Tree
    root: Declared
    library: Callable[["Estimate", Node], Called | None]
    only: str = ""
    _paths: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _sizes: dict[int, Pair] = field(default_factory=dict)
    _entries: dict[int, Entry] = field(default_factory=dict)
    _locals: dict[str, list[Local]] = field(default_factory=dict)

    def most(self) -> int:
        """What it costs at most."""
        return self.cost(self.tree.root).most

    def cost(self, node: Node) -> Pair:
        """Of an expression and all within."""
        found: Pair = getattr(self, f"_of_{node.kind}")(node)
        return found

    def _of_const(self, node: Node) -> Pair:
        return NOTHING

    def _of_ident(self, node: Node) -> Pair:
        local = self._local(node.name)
        self._paths[node.id] = local.path if local else (node.name,)
        return ONE

    def _of_select(self, node: Node) -> Pair:
        (operand,) = node.parts
        inner = self.cost(operand)
        if node.tests:
            return inner  # has() is free in Kubernetes
        self._paths[node.id] = (*self.path(operand), node.name)
        return inner.plus(ONE) if self.kind(operand) in ("map", "struct", "dyn") else inner

    def _of_list(self, node: Node) -> Pair:
        total, value = NOTHING, Pair(MOST if node.parts else 0, 0)
        for part in node.parts:
            total = total.plus(self.cost(part))
            value = value.union(self.size(part))
        self._entries[node.id] = Entry("list", ONE, value)
        return total.plus(fixed(_LIST))

    def _of_map(self, node: Node) -> Pair:
        total, sizes = NOTHING, [Pair(MOST if node.parts else 0, 0)] * 2
        for index, part in enumerate(node.parts):
            total = total.plus(self.cost(part))
            sizes[index % 2] = sizes[index % 2].union(self.size(part))
        self._entries[node.id] = Entry("map", *sizes)
        return total.plus(fixed(_MAP))

    def _of_struct(self, node: Node) -> Pair:
        total = fixed(_STRUCT)
        for part in node.parts:
            total = total.plus(self.cost(part))
        return total

    def _of_loop(self, node: Node) -> Pair:
        loop = node.loop
        reach, start = loop["range"], loop["start"]
        total = self.cost(reach).plus(self.cost(start))
        self._push(loop["sum"], Local(self.path(start), self.maybe_size(start), self.entry(start)))
        binds = reach.kind == "list" and not reach.parts and loop["condition"].kind == "const"
        if binds and loop["condition"].value in (0, None) and loop["sum"] not in _ACCUMULATORS:
            total = total.plus(self.cost(loop["result"]))
            self._locals[loop["sum"]].pop()
            self._copy(node, loop["result"])
            return total
        self._items(node)
        each = self.cost(loop["condition"]).plus(self.cost(loop["step"]))
        for name in (loop["item"], loop["second"]):
            if name:
                self._locals[name].pop()
        total = total.plus(self.cost(loop["result"]))
        self._locals[loop["sum"]].pop()
        count = self.size(reach)
        if start.kind == "const":
            self._put(self._sizes, node, self.maybe_size(start))
        elif start.kind in ("list", "map"):
            self._sizes[node.id] = count
            self._put(self._entries, node, self.entry(loop["step"]))
        return total.plus(count.by(each))

    def _items(self, node: Node) -> None:
        """Makes the variables of a loop known."""
        reach, names = node.loop["range"], (node.loop["item"], node.loop["second"])
        entry, path = self.entry(reach), self.path(reach)
        listed = (entry.kind if entry else self.kind(reach)) == "list"
        values, keys = ("@items", "@indices") if listed else ("@values", "@keys")
        roles = ((names[0], keys), (names[1], values)) if names[1] else ((names[0], values if listed else keys),)
        for name, step in roles:
            size = None if entry is None else entry.value if step == values else entry.key
            self._push(name, Local((*path, step), size))

    def _of_call(self, node: Node) -> Pair:
        if node.name == "dyn":
            inner = self.cost(node.parts[0])
            self._copy(node, node.parts[0])
            return ONE.plus(inner)
        costs = [self.cost(part) for part in node.parts]
        total = self.cost(node.target) if node.target is not None else NOTHING
        overloads = self.tree.overloads.get(node.id, ())
        if not overloads:
            return NOTHING
        least, most, size = MOST, 0, None
        for overload in overloads:
            found = self.library(self, node) or self._standard(node, overload, costs)
            arguments = NOTHING if overload in _LAZY else _sum(costs)
            cost = found.cost.plus(arguments)
            least, most = min(least, cost.least), max(most, cost.most)
            if found.size is not None:
                size = found.size if size is None else size.union(found.size)
            if overload in ("index_list", "index_map"):
                entry = self.entry(node.parts[0])
                size = entry.value if entry else None
                step = "@items" if overload == "index_list" else "@values"
                self._paths[node.id] = (*self.path(node.parts[0]), step)
            if size is None:
                size = self.maybe_size(node)
        self._put(self._sizes, node, size)
        return total.plus(Pair(least, most))

    def _standard(self, node: Node, overload: str, costs: Sequence[Pair]) -> Called:
        parts, target = node.parts, node.target
        if overload in ("logical_or", "logical_and"):
            return Called(Pair(costs[0].least, costs[0].plus(costs[1]).most))
        if overload == "conditional":
            first = self.entry(parts[1])
            self._put(self._entries, node, first.union(self.entry(parts[2])) if first else None)
            size = self.size(parts[1]).union(self.size(parts[2]))
            return Called(costs[0].plus(costs[1].union(costs[2])), size)
        if overload in ("starts_with_string", "ends_with_string") and len(parts) == 1:
            return Called(self.size(parts[0]).scaled(_TRAVERSAL))
        if overload == "in_list":
            return Called(self.size(parts[1]))
        if overload == "matches_string" and target is not None:
            return Called(self.searched(target, parts[0]))
        if overload == "contains_string" and target is not None:
            return Called(self.size(target).scaled(_TRAVERSAL).by(self.size(parts[0]).scaled(_TRAVERSAL)))
        if overload in ("add_string", "add_bytes", "add_list"):
            return self._added(node, overload)
        if overload in _COMPARED:
            left, right = self.size(parts[0]), self.size(parts[1])
            most = min(left.most, right.most)
            return Called(Pair(1 if most > 0 else 0, most).scaled(_TRAVERSAL))
        if overload in ("string_to_bytes", "bytes_to_string"):
            size = self.size(parts[0])
            wide = overload == "string_to_bytes"
            result = Pair(size.least, min(size.most * 4, MOST)) if wide else Pair(size.least // 4, size.most)
            return Called(size.scaled(_TRAVERSAL), result)
        return Called(ONE)

    def _added(self, node: Node, overload: str) -> Called:
        left, right = node.parts
        size, entry = self.size(left).plus(self.size(right)), self.entry(left)
        self._put(self._entries, node, entry.union(self.entry(right)) if entry else None)
        return Called(ONE if overload == "add_list" else size.scaled(_TRAVERSAL), size)

    def searched(self, text: Node, pattern: Node) -> Pair:
        """What a search for a pattern costs."""
        return self.size(text).plus(ONE).scaled(_TRAVERSAL).by(self.size(pattern).scaled(_REGEX))

    def traversed(self, node: Node, factor: float = 1) -> Pair:
        """What it costs to go through a text."""
        return self.size(node).scaled(factor * _TRAVERSAL)

    def path(self, node: Node) -> tuple[str, ...]:
        """Where an expression leads from a variable; () if nowhere."""
        if node.kind == "ident" and (local := self._local(node.name)) is not None:
            return local.path
        return self._paths.get(node.id, ())

    def _declared(self, path: tuple[str, ...]) -> Declared | None:
        """What is declared there: whatever the variable, upstream begins at self, with items of lists that are worked out, too."""
        if not path or self.only not in ("", path[0]):
            return None
        found: Declared | None = self.root
        for step in path[1:]:
            found = found.below(step) if found is not None else None
        return found

    def item_of(self, node: Node) -> tuple[str, Pair]:
        """Kind and size of the items of a list."""
        path = self.path(node)
        found = self._declared((*path, "@items")) if path else None
        inner = self.tree.types[node.id].params
        return inner[0].kind if inner else "dyn", UNKNOWN if found is None else Pair(0, found.most)

    def kind(self, node: Node) -> str:
        """The kind of an expression's value."""
        return self.tree.types[node.id].kind

    def size(self, node: Node) -> Pair:
        """How large its value may be."""
        found = self.maybe_size(node)
        return UNKNOWN if found is None else found

    def maybe_size(self, node: Node) -> Pair | None:
        """The same; None if nothing bounds it."""
        if node.id in self._sizes:
            return self._sizes[node.id]
        if node.kind == "const":
            return fixed(len(node.value) if node.type in ("string", "bytes") else 1)
        if node.kind in ("list", "map"):
            return fixed(len(node.parts) // (2 if node.kind == "map" else 1))
        found = self._declared(self.path(node))
        if found is not None:
            self._sizes[node.id] = Pair(0, found.most)
            return self._sizes[node.id]
        if self.kind(node) in _SCALARS:
            return ONE
        local = self._local(node.name) if node.kind == "ident" else None
        return local.size if local is not None else None

    def entry(self, node: Node) -> Entry | None:
        """The sizes of what is in it."""
        if node.id in self._entries:
            return self._entries[node.id]
        local = self._local(node.name) if node.kind == "ident" else None
        return local.entry if local is not None else None

    def _local(self, name: str) -> Local | None:
        found = self._locals.get(name)
        return found[-1] if found else None

    def _push(self, name: str, local: Local) -> None:
        self._locals.setdefault(name, []).append(local)

    def _copy(self, node: Node, source: Node) -> None:
        self._put(self._sizes, node, self.maybe_size(source))
        self._put(self._entries, node, self.entry(source))

    def _put(self, where: dict[int, _T], node: Node, found: _T | None) -> None:
        if found is not None:
            where[node.id] = found


_LAZY = frozenset(("logical_or", "logical_and", "conditional"))
_COMPARED = frozenset(
    (
        *("equals", "not_equals"),
        *("less_string", "greater_string", "less_equals_string", "greater_equals_string"),
        *("less_bytes", "greater_bytes", "less_equals_bytes", "greater_equals_bytes"),
    )
)


def _sum(costs: Sequence[Pair]) -> Pair:
    total = NOTHING
    for cost in costs:
        total = total.plus(cost)
    return total
