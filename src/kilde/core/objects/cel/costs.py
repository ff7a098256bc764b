"""What a call costs when it is evaluated: cel-go's interpreter/runtimecost.go, and Kubernetes' pkg/cel/library/cost.go.

Everything costs one, but for these.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kilde.core.objects.cel.values import Cidr, Format, Ip, Semver, Url, size
from kilde.core.objects.quantity import Quantity

Cost = Callable[[Sequence[Any], Any], int]
"""(arguments, result) → cost."""

_TRAVERSED, _PATTERN = 0.1, 0.25  # of a character of a text, of a pattern
LIST, MAP, STRUCT = 10, 30, 40  # to make one
_CHECK = 350_000  # to ask whether something is allowed: an expression can do so twice
_BOUNDED = (Quantity, Ip, Cidr, Format, Url, Semver)


def _through(count: float, factor: float = _TRAVERSED) -> int:
    return math.ceil(float(count) * factor)


def _first(args: Sequence[Any], _: Any) -> int:
    return _through(size(args[0]))


def _first_twice(args: Sequence[Any], _: Any) -> int:
    return math.ceil(float(size(args[0])) * 2 * _TRAVERSED)


def _whole(value: Any) -> int:
    """A traversal of all that is in a value."""
    if isinstance(value, (str, bytes)):
        return int(len(value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")) * _TRAVERSED)
    if isinstance(value, list):
        return sum(map(_whole, value))
    if isinstance(value, dict):
        return sum(_whole(key) + _whole(child) for key, child in value.items())
    return 1


def _search(args: Sequence[Any], _: Any) -> int:
    return _through(1.0 + size(args[0])) * _through(size(args[1]), _PATTERN)


def _validate(args: Sequence[Any], _: Any) -> int:
    return _through(1.0 + size(args[1])) * _through(args[0].size, _PATTERN) if isinstance(args[0], Format) else 1


def _contains(args: Sequence[Any], _: Any) -> int:
    return _through(size(args[0])) * _through(size(args[1]))


def compared(args: Sequence[Any], _: Any) -> int:
    """A comparison of two texts, or of two values for being equal."""
    return _through(min(size(args[0]), size(args[1])))


def equals(args: Sequence[Any], result: Any) -> int:
    """Of `==`; `!=` is as `compared` counts it."""
    return 1 if isinstance(args[0], _BOUNDED) else compared(args, result)


def _added(args: Sequence[Any], _: Any) -> int:
    return _through(size(args[0]) + size(args[1]))


def _contains_ip(args: Sequence[Any], _: Any) -> int:
    return _through(2 * size(args[0])) + (_through(size(args[1])) if isinstance(args[1], str) else 0)


def _contains_cidr(args: Sequence[Any], result: Any) -> int:
    return _contains_ip(args, result) + _through(size(args[0])) + 1


def _product(factor: float) -> Cost:
    return lambda args, _: 1 + int(size(args[0]) * size(args[1]) * factor)


def _made(args: Sequence[Any], result: Any) -> int:
    return size(result) + 1 + LIST


def _flattened(args: Sequence[Any], _: Any) -> int:
    return int(size(args[0]) * float(args[1] if len(args) > 1 else 1)) + 1 + LIST


def _selector(args: Sequence[Any], _: Any) -> int:
    """A selector is read into its requirements, of which there may be one for each two characters."""
    return LIST + _through(size(args[1])) + _through(size(args[1]), 0.5) * (LIST + STRUCT)


def _self_compared(items: Any) -> int:
    count = size(items)
    texts = isinstance(items, list) and items and isinstance(items[0], (str, bytes))
    return int(float(count * count) * (2.0 + (_TRAVERSED if texts else 0))) + 1 + LIST


BY_OVERLOAD: Mapping[str, Cost] = {
    **dict.fromkeys(("starts_with_string", "ends_with_string", "string_to_bytes", "bytes_to_string"), _first),
    "in_list": lambda args, _: size(args[1]),
    **dict.fromkeys((f"{name}_{kind}" for name in ("less", "greater") for kind in ("string", "bytes")), compared),
    **dict.fromkeys(
        (f"{name}_equals_{kind}" for name in ("less", "greater") for kind in ("string", "bytes")), compared
    ),
    **dict.fromkeys(("add_string", "add_bytes"), _added),
    "matches_string": _search,
    "matches": _search,
    "contains_string": _contains,
}
"""By the one overload that a call can mean; where that is open it costs one."""

BY_NAME: Mapping[str, Cost] = {
    **dict.fromkeys(
        ("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), lambda args, _: _whole(args[0]) if args else 0
    ),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim", "format", "strings.quote"), _first),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _first),
    **dict.fromkeys(("replace", "split", "ip.isCanonical"), _first_twice),
    "ip": lambda args, _: 1 if isinstance(args[0], Cidr) else _through(size(args[0])),
    "join": lambda _, result: math.ceil(float(size(result)) * 2 * _TRAVERSED),
    **dict.fromkeys(("find", "findAll"), _search),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "validate": _validate,
    **dict.fromkeys(("sets.contains", "sets.intersects"), _product(1)),
    "sets.equivalent": _product(2),
    **dict.fromkeys(("slice", "lists.range", "reverse"), _made),
    "flatten": _flattened,
    **dict.fromkeys(("distinct", "sort"), lambda args, _: _self_compared(args[0])),
    "@sortByAssociatedKeys": lambda args, _: _self_compared(args[1]),
    **dict.fromkeys(("or", "orValue"), lambda args, _: 0),
    "check": lambda args, _: _CHECK,
    **dict.fromkeys(("fieldSelector", "labelSelector"), _selector),
}
"""By the name of the function, whatever it is called on."""
