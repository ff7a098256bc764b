"""The fast path of apply: one walk that checks the config, merges it, gathers its paths and what it changes.

It gives exactly what merging.py gives, or declines (None) wherever something unusual is met: nulls, changed kinds,
repeated or re-ordered items, anything that does not fit its type. tests/core/objects/typed hold the two to each
other.
"""

from typing import Any, NamedTuple

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import merging
from kilde.core.objects.typed.field_set import MEMBER, Trie, as_member
from kilde.core.objects.typed.node import ListNode, MapNode, Node, Scalar
from kilde.core.objects.typed.validation import DEEPEST, fits
from kilde.core.objects.typed.values import item_element, same

_LEAF: Trie = {}
_NUMERIC, _STRING, _BOOLEAN, _UNTYPED = Scalar  # this is asked of every value
_MEMBER: Trie = {MEMBER: _LEAF}


class Fused(NamedTuple):
    """The merged object, the paths the config owns, and those of them that are new or otherwise than in the live one.

    `changed` has what lies below a new value only where that was asked for.
    """

    value: Object
    paths: Trie
    changed: Trie


class _Unusual(Exception):
    """The plain operations have to do it."""


def fused(node: Node, live: Object, config: Object, *, inside: bool) -> Fused | None:
    """None: take the plain operations. Parts of the live object that do not change are shared, not copied.

    `inside`: whether somebody will ask what lies below new values: other owners do.
    """
    try:
        value, paths, changed = _map(node.map, live, config, inside)
    except (_Unusual, ValueError, RecursionError):
        return None
    return Fused(value, paths or {}, changed or {})


_Walked = tuple[Any, Trie | None, Trie | None]


def _value(node: Node, live: Json, config: Json, inside: bool) -> _Walked:
    """(merged, paths, changed) where both sides hold a value."""
    kind = type(config)
    if kind is dict:
        if type(live) is not dict:
            raise _Unusual
        return _map(node.map, live, config, inside)
    if kind is list:
        if type(live) is not list or node.list is None:
            raise _Unusual
        return _list(node.list, live, config, inside)
    if type(live) in (dict, list, type(None)) or not _is_scalar(node, kind):
        raise _Unusual
    if live == config:
        if type(live) is kind:
            return live, _LEAF, None
        if kind is not bool and type(live) is not bool:  # 1 and 1.0 are one value, 1 and true are two
            return config, _LEAF, None
    return config, _LEAF, _LEAF


def _is_scalar(node: Node, kind: type) -> bool:
    expected = node.scalar
    if kind is str:
        return expected is _STRING or expected is _UNTYPED
    if kind is bool:
        return expected is _BOOLEAN or expected is _UNTYPED
    if kind is int or kind is float:
        return expected is _NUMERIC or expected is _UNTYPED
    return False


def _map(node: MapNode | None, live: dict[str, Json], config: dict[str, Json], inside: bool) -> _Walked:
    if node is None:
        raise _Unusual
    if node.atomic:
        return _whole(Node(map=node), live, config)
    if not config:
        return live, None, None
    merged = live
    paths: Trie = {}
    changed: Trie = {}
    for key, wanted in config.items():
        if wanted is None:
            raise _Unusual
        value, own, new = _entry(node, live, key, wanted, inside)
        element = "f:" + key
        if new is not None:
            changed[element] = new
        if own is not None:
            paths[element] = own
        if value is not live.get(key, _Unusual):
            if merged is live:
                merged = dict(live)
            merged[key] = value
    return merged, paths or None, changed or None


def _entry(node: MapNode, live: dict[str, Json], key: str, wanted: Json, inside: bool) -> _Walked:
    """One key of a map."""
    child = node.fields.get(key)
    undeclared = child is None
    if child is None:
        child = node.others
        if child is None:
            raise _Unusual
    if key in live:
        value, own, new = _value(child, live[key], wanted, inside)
    else:
        value, own = wanted, _fresh(child, wanted, 0)
        new = merging.present(child, wanted) if inside else _LEAF
    if undeclared or wanted == {}:
        own = _member(own)
    return value, own, new


def _member(own: Trie | None) -> Trie:
    return {**_MEMBER, **own} if own and MEMBER not in own else own or _LEAF


def _fresh(node: Node, config: Json, depth: int) -> Trie | None:
    """The paths of a value of which the live object has nothing; it has to fit its type."""
    kind = type(config)
    if kind is dict and node.map is not None and not node.map.atomic:
        return _fresh_map(node.map, config, depth)
    if kind is list and node.list is not None and not node.list.atomic:
        return _fresh_list(node.list, config, depth)
    if not _is_scalar(node, kind) and not fits(node, config, duplicates=False, depth=depth):
        raise _Unusual
    return _LEAF


def _fresh_map(node: MapNode, config: dict[str, Json], depth: int) -> Trie | None:
    if depth > DEEPEST:
        raise _Unusual
    paths: Trie = {}
    for key, child in config.items():
        below = node.fields.get(key)
        declared = below is not None
        if below is None:
            below = node.others
            if below is None:
                raise _Unusual
        if type(child) is str and (below.scalar is _STRING or below.scalar is _UNTYPED):  # most are, and calls cost
            paths["f:" + key] = _LEAF
            continue
        found = _fresh(below, child, depth + 1) if child is not None else _LEAF
        if not declared or child == {}:
            paths["f:" + key] = as_member(found)
        elif found is not None:
            paths["f:" + key] = found
    return paths or None


def _fresh_list(node: ListNode, config: list[Json], depth: int) -> Trie | None:
    if depth > DEEPEST:
        raise _Unusual
    paths: Trie = {}
    for item in config:
        element = item_element(node, item)
        if element in paths:
            raise _Unusual
        paths[element] = as_member(_fresh(node.items, item, depth + 1))
    return paths or None


def _whole(node: Node, live: Json, config: Json) -> _Walked:
    """An atomic value: replaced, not merged."""
    if same(live, config):
        return live, _LEAF, None
    if not fits(node, config, duplicates=False):
        raise _Unusual
    return config, _LEAF, _LEAF


def _list(node: ListNode, live: list[Json], config: list[Json], inside: bool) -> _Walked:
    if node.atomic:
        return _whole(Node(list=node), live, config)
    if not config:
        return live, None, None
    at = {item_element(node, item): index for index, item in enumerate(live)}
    if len(at) != len(live):
        raise _Unusual
    merged, paths, changed, last = live, {}, {}, -1
    for wanted in config:
        element = item_element(node, wanted)
        index = at.get(element, -1)
        if index <= last:  # new, repeated or re-ordered
            raise _Unusual
        last = index
        value, own, new = _value(node.items, live[index], wanted, inside)
        if new is not None:
            changed[element] = new
        if value is not live[index]:
            if merged is live:
                merged = list(live)
            merged[index] = value
        paths[element] = _member(own)
    return merged, paths, changed or None
