"""Functions of lists and maps: Kubernetes' own, the lists and sets extensions, and what loops are made with."""

from collections.abc import Callable, Iterator
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from kilde.core.objects.cel.operators import TABLE as _OPERATORS
from kilde.core.objects.cel.overloads import ANY, Overload
from kilde.core.objects.cel.times import TABLE as _TIMES
from kilde.core.objects.cel.values import (
    NOTHING,
    ORDERED,
    CelError,
    GrowingMap,
    Optional,
    compare,
    contains,
    equal,
    kind,
    no_overload,
)

_MOST = 1_000_000  # items that a call may make out of nothing: each costs one, and a call may cost as much
_ADD = {one.types: one.does for one in (*_OPERATORS, *_TIMES) if one.name == "_+_" and len(set(one.types)) == 1}


def _is_sorted(items: list[Any]) -> bool:
    return all(compare(one, other) <= 0 for one, other in pairwise(items))


def _sum(items: list[Any]) -> Any:
    if not items:
        return 0
    total = items[0]
    add = _ADD.get((type(total), type(total)))
    for item in items[1:]:
        if add is None or type(item) is not type(total):
            raise no_overload()
        total = add(total, item)
    return total


def _extreme(name: str, sign: int) -> Callable[[list[Any]], Any]:
    def extreme(items: list[Any]) -> Any:
        if not items:
            raise CelError(f"{name} called on empty list")
        found = items[0]
        for item in items[1:]:
            if compare(found, item) == sign:
                found = item
        return found

    return extreme


def _index_of(items: list[Any], value: Any) -> int:
    return next((place for place, item in enumerate(items) if equal(item, value)), -1)


def _last_index_of(items: list[Any], value: Any) -> int:
    return next((place for place in range(len(items) - 1, -1, -1) if equal(items[place], value)), -1)


def _range(count: int) -> list[int]:
    if count > _MOST:
        raise CelError(f"lists.range({count}): more than {_MOST} items")
    return list(range(count))


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    words = f"cannot slice({start}, {end}), "
    if start < 0 or end < 0:
        raise CelError(f"{words}negative indexes not supported")
    if start > end:
        raise CelError(f"{words}start index must be less than or equal to end index")
    if len(items) < end:
        raise CelError(f"{words}list is length {len(items)}")
    return list(items[start:end])


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    out: list[Any] = []
    for item in items:
        if depth and isinstance(item, list):
            out.extend(_flatten(item, depth - 1))
        else:
            out.append(item)
    return out


def _distinct(items: list[Any]) -> list[Any]:
    out: list[Any] = []
    for item in items:
        if not contains(out, item):
            out.append(item)
    return out


def _sort_by(items: list[Any], keys: list[Any]) -> list[Any]:
    if len(items) != len(keys):
        told = f"got {len(items)} and {len(keys)} elements respectively"
        raise CelError(
            f"@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but {told}"
        )
    if keys and type(keys[0]) not in ORDERED:
        raise CelError("list elements must be comparable")
    if any(type(key) is not type(keys[0]) for key in keys):
        raise CelError("list elements must have the same type")
    order = cmp_to_key(compare)
    return [items[place] for place in sorted(range(len(items)), key=lambda place: order(keys[place]))]


def _holds_all(items: list[Any], others: list[Any]) -> bool:
    return all(contains(items, item) for item in others)


def _equivalent(items: list[Any], others: list[Any]) -> bool:
    return _holds_all(items, others) and _holds_all(others, items)


def _intersects(items: list[Any], others: list[Any]) -> bool:
    return any(contains(others, item) for item in items)


def _insert(among: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    if isinstance(key, (list, dict, Optional)) or type(key) in (float, bytes):
        raise CelError(f"unsupported key type: {kind(key)}")
    if key in among:
        raise CelError(f"insert failed: key {key} already exists")
    if type(among) is not GrowingMap:
        return {**among, key: value}
    among[key] = value
    return among


def _insert_all(among: dict[Any, Any], others: dict[Any, Any]) -> dict[Any, Any]:
    for key, value in others.items():
        among = _insert(among, key, value)
    return among


def _made() -> Iterator[Overload]:
    yield Overload("isSorted", (list,), _is_sorted)
    yield Overload("sum", (list,), _sum)
    yield Overload("min", (list,), _extreme("min", 1))
    yield Overload("max", (list,), _extreme("max", -1))
    yield Overload("indexOf", (list, ANY), _index_of)
    yield Overload("lastIndexOf", (list, ANY), _last_index_of)
    yield Overload("lists.range", (int,), _range)
    yield Overload("slice", (list, int, int), _slice)
    yield Overload("flatten", (list,), _flatten)
    yield Overload("flatten", (list, int), _flatten)
    yield Overload("distinct", (list,), _distinct)
    yield Overload("reverse", (list,), lambda items: items[::-1])
    yield Overload("sort", (list,), lambda items: _sort_by(items, items))
    yield Overload("@sortByAssociatedKeys", (list, list), _sort_by)
    yield Overload("first", (list,), lambda items: Optional(items[0], True) if items else NOTHING)
    yield Overload("last", (list,), lambda items: Optional(items[-1], True) if items else NOTHING)
    yield Overload("sets.contains", (list, list), _holds_all)
    yield Overload("sets.equivalent", (list, list), _equivalent)
    yield Overload("sets.intersects", (list, list), _intersects)
    yield Overload("cel.@mapInsert", (dict, ANY, ANY), _insert)
    yield Overload("cel.@mapInsert", (dict, dict), _insert_all)


TABLE = (*_made(),)
