"""The operations on typed values that server-side apply is made of: which paths a value has, merge, compare, remove.

What they do is structured-merge-diff's semantics (v6). Values go in and come out whole; tries are described in
field_set.py.
"""

from collections import Counter
from typing import Any, NamedTuple

from kilde.core.basics.values import Json
from kilde.core.objects.typed.field_set import MEMBER, Trie, as_member, is_member, union
from kilde.core.objects.typed.node import DEDUCED, ListNode, MapNode, Node
from kilde.core.objects.typed.ordering import merged_order
from kilde.core.objects.typed.values import ABSENT, LIST, MAP, SCALAR, Maybe, item_element, same, shape


def paths_of(node: Node, value: Json) -> Trie:
    """toSet: the paths that somebody who sends this value owns. The root is never among them."""
    found = _paths(node, value)
    return {key: child for key, child in found.items() if key != MEMBER} if found else {}


def _paths(node: Node, value: Json) -> Trie | None:
    """The trie below one path: {} is a leaf, None contributes nothing."""
    taken = shape(node, value)
    if taken == MAP and node.map is not None:
        return _map_paths(node.map, value)
    if taken == LIST and node.list is not None:
        return _list_paths(node.list, value)
    return {}


def _map_paths(node: MapNode, value: Json) -> Trie | None:
    if node.atomic:
        return {}
    if not isinstance(value, dict):
        return None
    out: Trie = {}
    for key, child in value.items():
        declared = node.fields.get(key)
        found = _paths(declared or node.others or DEDUCED, child)
        if child is None or child == {} or declared is None:
            out["f:" + key] = as_member(found)
        elif found is not None:
            out["f:" + key] = found
    return out or None


def _list_paths(node: ListNode, value: Json) -> Trie | None:
    if node.atomic:
        return {}
    if not isinstance(value, list):
        return None
    elements = [item_element(node, item) for item in value]
    repeated = {element for element, count in Counter(elements).items() if count > 1}
    out: Trie = {}
    for element, item in zip(elements, value, strict=True):
        out[element] = {} if element in repeated else as_member(_paths(node.items, item))
    return out or None


def merge(node: Node, live: Maybe, config: Maybe) -> Maybe:
    """The live value with the config's on top: maps by key, associative lists by item, all else as a whole."""
    if live is ABSENT:
        taken = shape(node, config)
    elif config is ABSENT:
        taken = shape(node, live)
    else:
        taken = shape(node, config)
    if taken == MAP and node.map is not None and not node.map.atomic:
        left, right = _as(dict, live), _as(dict, config)
        if left or right:
            return _merge_maps(node.map, left, right)
    elif taken == LIST and node.list is not None and not node.list.atomic:
        first, second = _as(list, live), _as(list, config)
        if first or second:
            return _merge_lists(node.list, first, second)
    return live if config is ABSENT else config


def _as(kind: type, value: Maybe) -> Any:
    return value if isinstance(value, kind) else kind()


def _merge_maps(node: MapNode, live: dict[str, Json], config: dict[str, Json]) -> Maybe:
    out: dict[str, Json] = {}
    for key in [*live, *(key for key in config if key not in live)]:
        child = node.fields.get(key) or node.others or DEDUCED
        value = merge(child, live.get(key, ABSENT), config.get(key, ABSENT))
        if value is not ABSENT:
            out[key] = value
    return out or ABSENT


def _merge_lists(node: ListNode, live: list[Json], config: list[Json]) -> Maybe:
    live_elements = [item_element(node, item) for item in live]
    config_elements = [item_element(node, item) for item in config]
    repeated = {element for element, count in Counter(live_elements).items() if count > 1}
    partners = {e: item for e, item in zip(live_elements, live, strict=True) if e not in repeated}
    wanted = dict(zip(config_elements, config, strict=True))
    out: list[Json] = []
    for element, position in merged_order(live_elements, config_elements):
        if position is None:
            value = merge(node.items, partners.get(element, ABSENT), wanted[element])
        else:
            value = merge(node.items, live[position], ABSENT)
        if value is not ABSENT:
            out.append(value)
    return out or ABSENT


class Comparison(NamedTuple):
    """What differs between two values, as tries."""

    removed: Trie
    modified: Trie
    added: Trie

    @property
    def changed(self) -> Trie:
        """What the second value has new or otherwise."""
        return union(self.modified, self.added)


NOTHING = Comparison({}, {}, {})


def compare(node: Node, before: Json, after: Json) -> Comparison:
    """What is gone, otherwise and new in `after`."""
    return Comparison(*(_rooted(part) for part in _compare(node, before, after)))


_Parts = tuple[Trie | None, Trie | None, Trie | None]
_EQUAL: _Parts = (None, None, None)


def _rooted(part: Trie | None) -> Trie:
    return {key: child for key, child in (part or {}).items() if key != MEMBER}


def _compare(node: Node, before: Maybe, after: Maybe) -> _Parts:
    """(removed, modified, added) below one path; None: nothing there."""
    if before is ABSENT:
        return None, None, present(node, after)
    if after is ABSENT:
        return present(node, before), None, None
    if same(before, after):
        return _EQUAL
    old, new = shape(node, before), shape(node, after)
    parts = _compare_as(node, new, before, after)
    return parts if old == new else _joined(_compare_as(node, old, before, after), parts)


def _compare_as(node: Node, taken: str, before: Json, after: Json) -> _Parts:
    if taken == MAP and node.map is not None and not node.map.atomic:
        left, right = _as(dict, before), _as(dict, after)
        if left or right:
            return _compare_maps(node.map, left, right)
    elif taken == LIST and node.list is not None and not node.list.atomic:
        first, second = _as(list, before), _as(list, after)
        if first or second:
            return _compare_lists(node.list, first, second)
    return None, {}, None


def _compare_maps(node: MapNode, before: dict[str, Json], after: dict[str, Json]) -> _Parts:
    found: tuple[Trie, Trie, Trie] = ({}, {}, {})
    for key in before.keys() | after.keys():
        child = node.fields.get(key) or node.others or DEDUCED
        _put(found, "f:" + key, _compare(child, before.get(key, ABSENT), after.get(key, ABSENT)))
    return found[0] or None, found[1] or None, found[2] or None


def _compare_lists(node: ListNode, before: list[Json], after: list[Json]) -> _Parts:
    left, right = _by_element(node, before), _by_element(node, after)
    found: tuple[Trie, Trie, Trie] = ({}, {}, {})
    for element in left.keys() | right.keys():
        _put(found, element, _compare_items(node.items, left.get(element, []), right.get(element, [])))
    return found[0] or None, found[1] or None, found[2] or None


def _compare_items(node: Node, before: list[Json], after: list[Json]) -> _Parts:
    """Items of one element: an element that occurs twice is compared as a whole."""
    if len(before) > 1 and len(after) > 1:
        return _EQUAL if same(before, after) else (None, {}, None)
    if len(before) > 1:
        return {}, None, present(node, after[0]) if after else None
    if len(after) > 1:
        return present(node, before[0]) if before else None, None, {}
    return _compare(node, before[0] if before else ABSENT, after[0] if after else ABSENT)


def _by_element(node: ListNode, items: list[Json]) -> dict[str, list[Json]]:
    out: dict[str, list[Json]] = {}
    for item in items:
        out.setdefault(item_element(node, item), []).append(item)
    return out


def _put(found: tuple[Trie, Trie, Trie], element: str, parts: _Parts) -> None:
    for trie, part in zip(found, parts, strict=True):
        if part is not None:
            trie[element] = part


def _joined(a: _Parts, b: _Parts) -> _Parts:
    def one(x: Trie | None, y: Trie | None) -> Trie | None:
        if x is None or y is None:
            return y if x is None else x
        both = union(x, y)
        return as_member(both) if is_member(x) or is_member(y) else both

    return one(a[0], b[0]), one(a[1], b[1]), one(a[2], b[2])


def present(node: Node, value: Json) -> Trie:
    """The trie of a value that one side alone has: every path, containers too."""
    taken = shape(node, value)
    out: Trie = {}
    if taken == MAP and node.map is not None and not node.map.atomic:
        for key, child in _as(dict, value).items():
            out["f:" + key] = present(node.map.fields.get(key) or node.map.others or DEDUCED, child)
    elif taken == LIST and node.list is not None and not node.list.atomic:
        for element, items in _by_element(node.list, _as(list, value)).items():
            out[element] = present(node.list.items, items[0]) if len(items) == 1 else {}
    return as_member(out)


def remove(node: Node, value: Json, paths: Trie) -> Json:
    """The value without these paths. What is emptied by it, or atomic, becomes null (at the root: None)."""
    taken = shape(node, value)
    if taken == SCALAR:
        return value
    if taken == MAP and node.map is not None and isinstance(value, dict) and not node.map.atomic:
        return _remove_keys(node.map, value, paths)
    if taken == LIST and node.list is not None and isinstance(value, list) and not node.list.atomic:
        return _remove_items(node.list, value, paths)
    return None


def _remove_keys(node: MapNode, value: dict[str, Json], paths: Trie) -> Json:
    out: dict[str, Json] = {}
    for key, child in value.items():
        gone = paths.get("f:" + key)
        if gone is None:
            out[key] = child
        elif not is_member(gone):
            out[key] = remove(node.fields.get(key) or node.others or DEDUCED, child, gone)
    return out or None


def _remove_items(node: ListNode, value: list[Json], paths: Trie) -> Json:
    out: list[Json] = []
    for item in value:
        gone = paths.get(item_element(node, item))
        if gone is None:
            out.append(item)
        elif not is_member(gone):
            out.append(remove(node.items, item, gone))
    return out or None


def with_named(node: Node, paths: Trie) -> Trie:
    """ensureNamed: the paths, and every prefix of them that ends in a declared field (not a map's key, not a list's item)."""
    out: Trie = {}
    for element, child in paths.items():
        if not child or element == MEMBER:
            out[element] = child
            continue
        below, declared = _below(node, element)
        grown = with_named(below, child)
        out[element] = as_member(grown) if declared or is_member(child) else grown
    return out


def _below(node: Node, element: str) -> tuple[Node, bool]:
    """The node an element leads to, and whether it is a declared field."""
    if element.startswith("f:") and node.map is not None:
        declared = node.map.fields.get(element[2:])
        return declared or node.map.others or DEDUCED, declared is not None
    if element.startswith("k:") and node.list is not None:
        return node.list.items, False
    return DEDUCED, False
