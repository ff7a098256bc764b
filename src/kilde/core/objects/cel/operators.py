"""Operators of CEL: arithmetic with its overflows, order, membership."""

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

from kilde.core.objects.cel.overloads import ANY, Overload, overloads
from kilde.core.objects.cel.values import (
    ORDERED,
    CelError,
    GrowingList,
    MapList,
    SetList,
    Uint,
    bounded,
    compare,
    contains,
    equal,
    no_overload,
    unsigned,
    whole,
)


def _divided(a: int, b: int) -> int:
    """Toward zero."""
    if not b:
        raise CelError("division by zero")
    found = abs(a) // abs(b)
    return found if (a < 0) == (b < 0) else -found


def _rest(a: int, b: int) -> int:
    """With the sign of the dividend."""
    if not b:
        raise CelError("modulus by zero")
    found = abs(a) % abs(b)
    return -found if a < 0 else found


def _quotient(a: float, b: float) -> float:
    if b:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _product(a: float, b: float) -> float:
    return a * b


def _added(a: Any, b: Any) -> Any:
    bounded(len(a) + len(b))
    return a + b


def _joined(a: list[Any], b: list[Any]) -> list[Any]:
    bounded(len(a) + len(b))
    if type(a) is GrowingList:
        a.extend(b)
        return a
    if isinstance(a, SetList):
        return SetList([*a, *(item for item in b if not contains(a, item))])
    if isinstance(a, MapList):
        known = {a.key(item): item for item in a} | {a.key(item): item for item in b}
        made = MapList(known.values())
        made.keys = a.keys
        return made
    return [*a, *b]


def _ordered(name: str, holds: Callable[[int, int], bool]) -> Callable[[Any, Any], bool]:
    def ordered(a: Any, b: Any) -> bool:
        if type(a) not in ORDERED:
            raise no_overload(name)
        return holds(compare(a, b), 0)

    return ordered


def _in_map(key: Any, among: dict[Any, Any]) -> bool:
    try:
        return key in among
    except TypeError:
        return False


def _negated(value: int) -> int:
    return whole(-value)


_TWO: dict[type, dict[str, Callable[..., Any]]] = {
    int: {
        "_+_": lambda a, b: whole(a + b),
        "_-_": lambda a, b: whole(a - b),
        "_*_": lambda a, b: whole(a * b),
        "_/_": lambda a, b: whole(_divided(a, b)),
        "_%_": lambda a, b: _rest(a, b),
    },
    Uint: {
        "_+_": lambda a, b: unsigned(int(a) + b),
        "_-_": lambda a, b: unsigned(int(a) - b),
        "_*_": lambda a, b: unsigned(int(a) * b),
        "_/_": lambda a, b: unsigned(_divided(a, b)),
        "_%_": lambda a, b: unsigned(_rest(a, b)),
    },
    float: {"_+_": operator.add, "_-_": operator.sub, "_*_": _product, "_/_": _quotient},
    str: {"_+_": _added},
    bytes: {"_+_": _added},
    list: {"_+_": _joined},
}


def _size(value: Any) -> int:
    return len(value)


def _made() -> Iterator[Overload]:
    for kind, table in _TWO.items():
        yield from overloads((kind, kind), table)
    for name, holds in (("_<_", operator.lt), ("_<=_", operator.le), ("_>_", operator.gt), ("_>=_", operator.ge)):
        yield Overload(name, (ANY, ANY), _ordered(name, holds))
    for kind in (str, bytes, list, dict):
        yield Overload("size", (kind,), _size)
    yield Overload("_==_", (ANY, ANY), equal)
    yield Overload("_!=_", (ANY, ANY), lambda a, b: not equal(a, b))
    yield Overload("!_", (bool,), operator.not_)
    yield Overload("-_", (int,), _negated)
    yield Overload("-_", (float,), operator.neg)
    yield Overload("@in", (ANY, list), lambda a, b: contains(b, a))
    yield Overload("@in", (ANY, dict), _in_map)


TABLE = (*_made(),)
