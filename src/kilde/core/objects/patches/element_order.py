"""In which order a merged list of a strategic merge patch comes out: the patch's order, the others at their old places."""

from typing import Any

from kilde.core.basics.values import Json


def by_key(item: Any, key: str) -> Json:
    """What tells items apart: the merge key's value, or the item itself where there is no merge key."""
    return item.get(key) if key and isinstance(item, dict) else item


def partition(merged: list[Json], wanted: list[Json], key: str) -> tuple[list[Json], list[Json]]:
    """The merged items that `wanted` names, and the rest."""
    names = [by_key(item, key) for item in wanted]
    mine = [item for item in merged if by_key(item, key) in names]
    return mine, [item for item in merged if by_key(item, key) not in names]


def ordered(mine: list[Json], others: list[Json], wanted: list[Json], live: list[Json], key: str) -> list[Json]:
    """Interleaves the two: `mine` in the order of `wanted`, `others` in that of `live`.

    Another item comes before one of mine only if both were in the live list, in this order.
    """
    mine = _sorted_like(mine, wanted, key)
    others = _sorted_like(others, live, key)
    places: list[Json] = [by_key(item, key) for item in live]
    out: list[Json] = []
    left = 0
    for item in mine:
        while left < len(others) and _before(others[left], item, places, key):
            out.append(others[left])
            left += 1
        out.append(item)
    return out + others[left:]


def _sorted_like(items: list[Json], order: list[Json], key: str) -> list[Json]:
    names = [by_key(item, key) for item in order]
    return sorted(items, key=lambda item: names.index(by_key(item, key)) if by_key(item, key) in names else len(names))


def _before(a: Json, b: Json, places: list[Json], key: str) -> bool:
    first, second = by_key(a, key), by_key(b, key)
    return first in places and second in places and places.index(first) < places.index(second)
