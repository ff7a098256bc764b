"""Leaves out of an object what its schema does not declare, as an API server does that is not asked to be strict."""

from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed.node import Node

_DEPTH = 150


def declared_only(body: Object, node: Node) -> Object:
    """The object without undeclared fields; the same object where there are none."""
    found = _pruned(body, node, 0)
    return found if isinstance(found, dict) else body


def _pruned(value: Json, node: Node, depth: int) -> Json:
    if depth > _DEPTH:
        return value
    if isinstance(value, dict) and node.map is not None:
        return _map(value, node, depth)
    if isinstance(value, list) and node.list is not None:
        items = [_pruned(item, node.list.items, depth + 1) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _map(value: dict[str, Any], node: Node, depth: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    same = True
    for key, old in value.items():
        below = node.child(key)
        if below is None:
            same = False
            continue
        new = _pruned(old, below, depth + 1)
        same = same and new is old
        out[key] = new
    return value if same else out
