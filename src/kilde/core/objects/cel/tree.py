"""The tree of a checked CEL expression, read from the engine's serialized form (cel.expr.CheckedExpr, a protobuf message in an Any)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_PRIMITIVES = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {2: "timestamp", 3: "duration"}
_CONSTANTS = {1: "null", 2: "bool", 3: "int", 4: "uint", 5: "double", 6: "string", 7: "bytes"}
_Fields = dict[int, list[Any]]


@dataclass(frozen=True)
class Node:
    """One expression. `kind` is const, ident, select, call, list, map, struct or loop (a comprehension).

    `name` is the identifier, field or function; `parts` what is within: of a select the operand, of a call the arguments (with `target`
    beside), of a list its elements, of a map keys and values in turn. A loop has its parts by name in `loop`.
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


@dataclass(frozen=True)
class Tree:
    """`types` has the name of each expression's type ("dyn" if only evaluation tells), `overloads` what a call may call.

    `names` are those of expressions that stand for a variable or type: `a.b` may be one name.
    """

    root: Node
    types: Mapping[int, str]
    overloads: Mapping[int, tuple[str, ...]]
    names: Mapping[int, str] = field(default_factory=dict)


def read(serialized: bytes) -> Tree:
    """The tree of a serialized expression."""
    checked = _fields(_fields(serialized)[2][0])
    types: dict[int, str] = {}
    overloads: dict[int, tuple[str, ...]] = {}
    names: dict[int, str] = {}
    for entry in checked.get(3, ()):
        found = _fields(entry)
        types[found.get(1, [0])[0]] = _type(_fields(found.get(2, [b""])[0]))
    for entry in checked.get(2, ()):
        found = _fields(entry)
        at, reference = found.get(1, [0])[0], _fields(found.get(2, [b""])[0])
        overloads[at] = tuple(each.decode() for each in reference.get(3, ()))
        if 1 in reference:
            names[at] = reference[1][0].decode()
    return Tree(_node(checked[4][0]), types, overloads, names)


def _type(found: _Fields) -> str:
    if 3 in found or 4 in found:
        return _PRIMITIVES.get(found.get(3, found.get(4, [0]))[0], "dyn")
    if 5 in found:
        return _WELL_KNOWN.get(found[5][0], "dyn")
    return "list" if 6 in found else "map" if 7 in found else "null" if 2 in found else "dyn"


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
    optional: set[int] = set()
    for place, raw in enumerate(found.get(2, ())):
        entry = _fields(raw)
        parts += _nodes([*entry.get(3, ()), *entry.get(4, ())])
        if entry.get(5, [0])[0]:
            optional.add(place)
    name = found.get(1, [b""])[0].decode()
    kind = "struct" if name else "map"
    return {"kind": kind, "name": name, "parts": tuple(parts), "optional": frozenset(optional)}


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
