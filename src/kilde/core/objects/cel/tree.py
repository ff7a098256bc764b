"""The tree of a CEL expression, read from the parser's serialized form (cel.expr.ParsedExpr, a protobuf message in an Any)."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kilde.core.objects.cel.types import Type
from kilde.core.objects.cel.values import Uint

_CONSTANTS = {1: "null", 2: "bool", 3: "int", 4: "uint", 5: "double", 6: "string", 7: "bytes"}
_Fields = dict[int, list[Any]]


@dataclass(frozen=True)
class Node:
    """One expression. `kind` is const, ident, select, call, list, map, struct or loop (a comprehension).

    `name` is the identifier, field or function; `parts` what is within: of a select the operand, of a call the arguments (with `target`
    beside), of a list its elements, of a map keys and values in turn, of a struct the values of its `fields` (`entries` are their ids). A
    loop has its parts by name in `loop`.
    """

    id: int
    kind: str
    name: str = ""
    parts: tuple["Node", ...] = ()
    target: "Node | None" = None
    loop: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None  # of a constant
    type: str = ""  # of a constant
    tests: bool = False  # a select by has()
    optional: frozenset[int] = frozenset()  # places of elements, or entries, that are there only where their value is
    fields: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()

    @property
    def constant(self) -> Any:
        """The value of a constant."""
        value = self.value
        if self.type == "bool":
            return bool(value)
        if self.type == "int":
            return value - (1 << 64) if value >= 1 << 63 else value
        if self.type == "uint":
            return Uint(value)
        return float(struct.unpack("<d", value)[0]) if self.type == "double" else value

    def walk(self) -> Iterator["Node"]:
        """The expression, and all that is within."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            inner = [*([node.target] if node.target is not None else []), *node.parts]
            inner += [one for one in node.loop.values() if isinstance(one, Node)]
            waiting += reversed(inner)


@dataclass(frozen=True)
class Tree:
    """`types` has the type of each expression, `overloads` what a call may call, `names` what stands for a variable or type."""

    root: Node
    types: Mapping[int, Type]
    overloads: Mapping[int, tuple[str, ...]]
    names: Mapping[int, str] = field(default_factory=dict)


def read(serialized: bytes, text: str) -> tuple[Node, dict[int, int]]:
    """The tree of the serialized form of a text, and where in it each part is: an operator, a bracket, a name's first letter."""
    parsed = _fields(_fields(serialized)[2][0])
    source, root = _fields(parsed.get(3, [b""])[0]), _node(parsed[2][0])
    places = {entry.get(1, [0])[0]: entry.get(2, [0])[0] for entry in map(_fields, source.get(4, ()))}
    for node in root.walk():
        if node.kind == "struct":  # of which cel-cpp tells the name, and cel-go the brace
            places[node.id] = text.find("{", places.get(node.id, 0))
    return root, places


def _node(raw: bytes) -> Node:
    found = _fields(raw)
    at = found.get(2, [0])[0]
    for number, make in _MAKERS.items():
        if number in found:
            return Node(at, **make(_fields(found[number][0])))
    return Node(at, "const")


def _const(found: _Fields) -> dict[str, Any]:
    for number, kind in _CONSTANTS.items():
        if number in found:
            value = found[number][0]
            if kind == "null":
                value = None
            return {"kind": "const", "type": kind, "value": value.decode() if kind == "string" else value}
    return {"kind": "const", "type": "null"}


def _ident(found: _Fields) -> dict[str, Any]:
    return {"kind": "ident", "name": found[1][0].decode()}


def _select(found: _Fields) -> dict[str, Any]:
    tests = bool(found.get(3, [0])[0])
    return {"kind": "select", "name": found[2][0].decode(), "parts": (_node(found[1][0]),), "tests": tests}


def _call(found: _Fields) -> dict[str, Any]:
    target = _node(found[1][0]) if 1 in found else None
    return {"kind": "call", "name": found[2][0].decode(), "target": target, "parts": _nodes(found.get(3, ()))}


def _list(found: _Fields) -> dict[str, Any]:
    return {"kind": "list", "parts": _nodes(found.get(1, ())), "optional": _places(found.get(2, ()))}


def _places(raws: Any) -> frozenset[int]:
    """Of packed or single numbers."""
    found: set[int] = set()
    for raw in raws:
        at = 0
        while isinstance(raw, bytes) and at < len(raw):
            value, at = _varint(raw, at)
            found.add(value)
        if isinstance(raw, int):
            found.add(raw)
    return frozenset(found)


def _struct(found: _Fields) -> dict[str, Any]:
    parts: list[Node] = []
    fields: list[str] = []
    entries: list[int] = []
    optional: set[int] = set()
    for place, raw in enumerate(found.get(2, ())):
        entry = _fields(raw)
        parts += _nodes([*entry.get(3, ()), *entry.get(4, ())])
        fields += [name.decode() for name in entry.get(2, ())]
        entries.append(entry.get(1, [0])[0])
        if entry.get(5, [0])[0]:
            optional.add(place)
    name = found.get(1, [b""])[0].decode()
    kind = "struct" if name else "map"
    whole = {"parts": tuple(parts), "optional": frozenset(optional), "fields": tuple(fields), "entries": tuple(entries)}
    return {"kind": kind, "name": name, **whole}


_PARTS = {2: "range", 4: "start", 5: "condition", 6: "step", 7: "result"}


def _loop(found: _Fields) -> dict[str, Any]:
    names = {name: found.get(number, [b""])[0].decode() for number, name in ((1, "item"), (3, "sum"), (8, "second"))}
    return {"kind": "loop", "loop": {**names, **{name: _node(found[number][0]) for number, name in _PARTS.items()}}}


_MAKERS = {3: _const, 4: _ident, 5: _select, 6: _call, 7: _list, 8: _struct, 9: _loop}


def _nodes(raws: Any) -> tuple[Node, ...]:
    return tuple(_node(raw) for raw in raws)


def _fields(raw: bytes) -> _Fields:
    """Field number → values: numbers for varints, bytes for everything else."""
    out: _Fields = {}
    for number, value in _values(raw):
        out.setdefault(number, []).append(value)
    return out


def _values(raw: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(raw, at)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(wire, 0)
        if wire == 2:
            size, at = _varint(raw, at)
        yield number, raw[at : at + size]
        at += size


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
