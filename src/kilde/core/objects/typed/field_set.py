"""FieldSet: a set of paths into an object, in the form of fieldsV1 (a trie of path elements).

A path element is its own text: `f:<name>`, `k:{"key":value,…}` (keys sorted, compact JSON), `v:<json>` or `i:<n>`. In
the trie a leaf `{}` is a member; a node that is a member and has children carries the key `.`. A path in the set says
nothing about its parents or children. The empty path is never a member, so the root `{}` is the empty set. Tries are
shared between sets and never changed in place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, canonical
from kilde.core.objects.typed.go_json import go_json

Trie = dict[str, Any]
Path = tuple[str, ...]

MEMBER = "."
_LEAF: Trie = {}
_DEPTH = 200
_INDEX = re.compile(r"i:-?[0-9]+")


def key_element(keys: dict[str, Json]) -> str:
    """The element of an associative list's item with these key fields."""
    return "k:" + go_json(keys)


def value_element(value: Json) -> str:
    """The element of a set's item."""
    return "v:" + go_json(value)


def is_member(node: Trie) -> bool:
    """Whether the path of this node of a trie is itself in the set."""
    return not node or MEMBER in node


def as_member(node: Trie | None) -> Trie:
    """This node, made a member. None has no children."""
    if not node or MEMBER in node:
        return node or {}
    return {MEMBER: _LEAF, **node}


def union(a: Trie, b: Trie) -> Trie:
    """Both of two roots."""
    return _both(a, b) if a and b else (a or b)


def _both(a: Trie, b: Trie) -> Trie:
    out = dict(a)
    for key, child in b.items():
        mine = out.get(key)
        out[key] = child if mine is None else _united(mine, child)
    return out


def _united(a: Trie, b: Trie) -> Trie:
    if a is b or (not a and not b):
        return a
    if not a:
        return as_member(b)
    if not b:
        return as_member(a)
    return _both(a, b)


def intersection(a: Trie, b: Trie) -> Trie:
    """What is in both of two roots."""
    out: Trie = {}
    for key, child in (a if len(a) <= len(b) else b).items():
        other = (b if len(a) <= len(b) else a).get(key)
        if other is None or key == MEMBER:
            continue
        shared = intersection(child, other) if child and other else {}
        if is_member(child) and is_member(other):
            out[key] = as_member(shared)
        elif shared:
            out[key] = shared
    return out


def difference(a: Trie, b: Trie) -> Trie:
    """What is in the root `a` and not in the root `b`. A path goes alone: its children stay."""
    if not a or not b:
        return a
    out: Trie = {}
    for key, child in a.items():
        other = b.get(key)
        if key == MEMBER:
            continue
        if other is None:
            out[key] = child
            continue
        rest = difference(child, other)
        if MEMBER in rest:
            rest = {k: v for k, v in rest.items() if k != MEMBER}
        if is_member(child) and not is_member(other):
            out[key] = as_member(rest)
        elif rest:
            out[key] = rest
    return out


def without_trees(a: Trie, b: Trie) -> Trie:
    """Recursive difference: what is in `a`, without the paths in `b` and everything below them."""
    if not a or not b:
        return a
    out: Trie = {}
    for key, child in a.items():
        other = b.get(key)
        if other is None:
            out[key] = child
        elif not is_member(other):
            rest = without_trees(child, other)
            if rest or is_member(child):
                out[key] = rest
    return out


def is_subset(a: Trie, b: Trie) -> bool:
    """Whether everything in the root `a` is in the root `b`."""
    if a is b:
        return True
    for key, child in a.items():
        if key == MEMBER:
            continue
        other = b.get(key)
        if other is None or (is_member(child) and not is_member(other)) or not is_subset(child, other):
            return False
    return True


def iterate(trie: Trie, prefix: Path = ()) -> Iterator[Path]:
    """The paths, as a real server orders them: the members of a level, then what lies below it."""
    keys = sorted(key for key in trie if key != MEMBER)
    for key in keys:
        if is_member(trie[key]):
            yield (*prefix, key)
    for key in keys:
        yield from iterate(trie[key], (*prefix, key))


def tidy(trie: Trie) -> Trie:
    """The same set with its elements in order, as a server writes it."""
    return {key: tidy(trie[key]) if trie[key] else _LEAF for key in _in_order(trie)}


def in_letters(trie: Trie) -> Trie:
    """The same set with its elements in the order of their letters, as a server writes it after a scale."""
    return {key: in_letters(trie[key]) if trie[key] else _LEAF for key in sorted(trie)}


def _in_order(trie: Trie) -> list[str]:
    keys = sorted(trie)
    if len(keys) > 1 and keys[-1][0] in "kv":  # 80 comes before 443
        keys.sort(key=_place)
    return keys


def _place(element: str) -> tuple[str, list[Any]]:
    kind, text = element[:1], element[2:]
    if kind not in "kv":
        return kind, [text]
    value = msgspec.json.decode(text)
    if kind == "k" and isinstance(value, dict):
        return kind, [(name, *_rank(value[name])) for name in sorted(value)]
    return kind, list(_rank(value))


def _rank(value: Json) -> tuple[int, Any]:
    """Numbers before texts before truths before all else, each by its size."""
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, (int, float)):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, canonical(value))


def readable(path: Path) -> str:
    """A path as error messages write it: `.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]`."""
    return "".join(_readable(element) for element in path)


def _readable(element: str) -> str:
    kind, text = element[:2], element[2:]
    if kind == "f:":
        return "." + text
    if kind == "v:":
        return f"[={canonical(msgspec.json.decode(text)).decode()}]"
    if kind == "k:":
        keys = msgspec.json.decode(text)
        return "[" + ",".join(f"{name}={canonical(keys[name]).decode()}" for name in sorted(keys)) + "]"
    return f"[{text}]"


@dataclass(frozen=True, slots=True)
class FieldSet:
    """A set of paths. Operators are those of a set: `|`, `&`, `-`, `<=`, `in`, `bool`."""

    trie: Trie = field(default_factory=dict)

    @classmethod
    def of(cls, *paths: Path) -> "FieldSet":
        """The set of these paths."""
        trie: Trie = {}
        for path in paths:
            node: Trie = {}
            for element in reversed(path):
                node = {element: node}
            trie = union(trie, node)
        return cls(trie)

    @classmethod
    def from_v1(cls, raw: Json) -> "FieldSet":
        """Reads fieldsV1 that a client wrote; elements are brought into their one form. InvalidInput if it is none."""
        return cls(_parsed(raw, 0))

    def to_v1(self) -> Trie:
        """fieldsV1, elements in order."""
        return tidy(self.trie)

    def paths(self) -> Iterator[Path]:
        """Every path, in the order a real server lists them."""
        return iterate(self.trie)

    def __or__(self, other: "FieldSet") -> "FieldSet":
        return FieldSet(union(self.trie, other.trie))

    def __and__(self, other: "FieldSet") -> "FieldSet":
        return FieldSet(intersection(self.trie, other.trie))

    def __sub__(self, other: "FieldSet") -> "FieldSet":
        return FieldSet(difference(self.trie, other.trie))

    def __le__(self, other: "FieldSet") -> bool:
        return is_subset(self.trie, other.trie)

    def __bool__(self) -> bool:
        return bool(self.trie)

    def __contains__(self, path: Path) -> bool:
        node: Trie | None = self.trie
        for element in path:
            node = node.get(element) if node is not None else None
        return bool(path) and node is not None and is_member(node)

    def without_trees(self, other: "FieldSet") -> "FieldSet":
        """Without the other's paths and everything below them."""
        return FieldSet(without_trees(self.trie, other.trie))


def _parsed(raw: Json, depth: int) -> Trie:
    if not isinstance(raw, dict) or depth > _DEPTH:
        raise InvalidInput("not a fieldsV1 document")
    out: Trie = {}
    for key, child in raw.items():
        if key == MEMBER:
            if depth and len(raw) > 1:
                out[MEMBER] = _LEAF
            continue
        element = _element(key)
        if element is not None:
            node = _parsed(child, depth + 1)
            out[element] = _united(out[element], node) if element in out else node
    if list(out) == [MEMBER]:
        return {}
    return out


def _element(text: str) -> str | None:
    """The canonical form of a path element; None for a kind nobody knows, which is ignored."""
    kind, rest = text[:2], text[2:]
    if kind == "f:":
        return text
    if kind == "i:":
        if not _INDEX.fullmatch(text):
            raise InvalidInput(f"not a path element: {text!r}")
        return text
    if kind not in ("k:", "v:"):
        return None
    try:
        value = msgspec.json.decode(rest)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"not a path element: {text!r}") from error
    if kind == "k:" and not isinstance(value, dict):
        raise InvalidInput(f"not a path element: {text!r}")
    return kind + go_json(value)
