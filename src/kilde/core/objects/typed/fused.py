"""The fast path of apply: one walk that checks the config, merges it, gathers its paths and what it changes.

It gives exactly what merging.py gives, or declines (None) wherever something unusual is met: nulls, changed kinds,
repeated or re-ordered items, anything that does not fit its type. tests/core/objects/typed hold the two to each
other.
"""

from typing import Any, NamedTuple

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import merging
from kilde.core.objects.typed.field_set import MEMBER, Trie
from kilde.core.objects.typed.node import ListNode, MapNode, Node, Scalar
from kilde.core.objects.typed.validation import fits
from kilde.core.objects.typed.values import item_element, same

_LEAF: Trie = {}
_MEMBER: Trie = {MEMBER: _LEAF}


class Fused(NamedTuple):
    """The merged object, the paths the config owns, and those of them that are new or otherwise than in the live one."""

    value: Object
    paths: Trie
    changed: Trie


class _Unusual(Exception):
    """The plain operations have to do it."""


def fused(node: Node, live: Object, config: Object) -> Fused | None:
    """None: take the plain operations. Parts of the live object that do not change are shared, not copied."""
    try:
        value, paths, changed = _map(node.map, live, config)
    except (_Unusual, ValueError, RecursionError):
        return None
    return Fused(value, paths or {}, changed or {})


_Walked = tuple[Any, Trie | None, Trie | None]


def _value(node: Node, live: Json, config: Json) -> _Walked:
    """(merged, paths, changed) where both sides hold a value."""
    kind = type(config)
    if kind is dict:
        if type(live) is not dict:
            raise _Unusual
        return _map(node.map, live, config)
    if kind is list:
        if type(live) is not list or node.list is None:
            raise _Unusual
        return _list(node.list, live, config)
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
        return expected is Scalar.STRING or expected is Scalar.UNTYPED
    if kind is bool:
        return expected is Scalar.BOOLEAN or expected is Scalar.UNTYPED
    if kind is int or kind is float:
        return expected is Scalar.NUMERIC or expected is Scalar.UNTYPED
    return False


def _map(node: MapNode | None, live: dict[str, Json], config: dict[str, Json]) -> _Walked:
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
        value, own, new = _entry(node, live, key, wanted)
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


def _entry(node: MapNode, live: dict[str, Json], key: str, wanted: Json) -> _Walked:
    """One key of a map."""
    child = node.fields.get(key)
    undeclared = child is None
    if child is None:
        child = node.others
        if child is None:
            raise _Unusual
    if key in live:
        value, own, new = _value(child, live[key], wanted)
    else:
        value, own, new = _fresh(child, wanted)
    if undeclared or wanted == {}:
        own = _member(own)
    return value, own, new


def _member(own: Trie | None) -> Trie:
    return {**_MEMBER, **own} if own and MEMBER not in own else own or _LEAF


def _fresh(node: Node, config: Json) -> tuple[Any, Trie | None, Trie]:
    """A value the live object does not have at all."""
    if not fits(node, config, duplicates=False):
        raise _Unusual
    return config, merging._paths(node, config), merging.present(node, config)


def _whole(node: Node, live: Json, config: Json) -> _Walked:
    """An atomic value: replaced, not merged."""
    if same(live, config):
        return live, _LEAF, None
    if not fits(node, config, duplicates=False):
        raise _Unusual
    return config, _LEAF, _LEAF


def _list(node: ListNode, live: list[Json], config: list[Json]) -> _Walked:
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
        value, own, new = _value(node.items, live[index], wanted)
        if new is not None:
            changed[element] = new
        if value is not live[index]:
            if merged is live:
                merged = list(live)
            merged[index] = value
        paths[element] = _member(own)
    return merged, paths, changed or None
