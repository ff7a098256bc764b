"""How typed operations look at one value: which shape of its node it takes, what names a list item, what is equal."""

from enum import Enum
from typing import Any

from kilde.core.basics.values import Json, canonical
from kilde.core.objects.typed.field_set import key_element, value_element
from kilde.core.objects.typed.node import ListNode, Node

MAP, SCALAR, LIST, NONE = "map", "scalar", "list", "none"


class Absent(Enum):
    """Nothing is there; null is a value."""

    ABSENT = 0


ABSENT = Absent.ABSENT
Maybe = Any  # Json | Absent


def shape(node: Node, value: Maybe) -> str:
    """The shape of the node that the value takes; where it fits none (null too): map, scalar, list, in this order."""
    if isinstance(value, dict):
        if node.map is not None:
            return MAP
    elif isinstance(value, list):
        if node.list is not None:
            return LIST
    elif value is not None and value is not ABSENT and node.scalar is not None:
        return SCALAR
    if node.map is not None:
        return MAP
    if node.scalar is not None:
        return SCALAR
    return LIST if node.list is not None else NONE


def item_element(node: ListNode, item: Json) -> str:
    """The path element of an item of an associative list. ValueError says why it has none."""
    if not node.keys:
        return _set_element(item)
    if item is None:
        raise ValueError("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise ValueError("associative list with keys may not have non-map elements")  # noqa: TRY004 - the server's words
    keys = {}
    for key in node.keys:
        if key in item:
            keys[key] = item[key]
        elif key in node.defaults:
            keys[key] = node.defaults[key]
    if not keys:
        names = " ".join(f'"{key}"' for key in node.keys)
        raise ValueError(
            f"associative list with keys has an element that omits all key fields [{names}]"
            " (and doesn't have default values for any key fields)"
        )
    return key_element(keys)


def _set_element(item: Json) -> str:
    if isinstance(item, dict):
        raise ValueError("associative list without keys has an element that's a map type")  # noqa: TRY004
    if isinstance(item, list):
        raise ValueError("associative list without keys has an element that's a list type")  # noqa: TRY004
    if item is None:
        raise ValueError("associative list without keys has an element that's an explicit null")
    return value_element(item)


def same(a: Json, b: Json) -> bool:
    """Equality of values as the server sees it: 1 and 1.0 are equal, 1 and true are not."""
    if a is b:
        return True
    if a != b:
        return False
    if isinstance(a, str):
        return True
    if isinstance(a, (dict, list)):
        # Python holds True == 1; equal texts settle it for nearly all values in C.
        return canonical(a) == canonical(b) or _same_inside(a, b)
    return isinstance(a, bool) == isinstance(b, bool)


def _same_inside(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(same(value, b[key]) for key, value in a.items())
    return all(same(x, y) for x, y in zip(a, b, strict=True))
