"""Functions of optional values."""

from typing import Any

from kilde.core.objects.cel.overloads import ANY, Overload
from kilde.core.objects.cel.values import NOTHING, CelError, Optional, Uint

_NONE: tuple[Any, ...] = (0, 0.0, False, "", b"", None)


def _value(one: Optional) -> Any:
    if not one.present:
        raise CelError("optional.none() dereference")
    return one.value


def _of_non_zero(value: Any) -> Optional:
    empty = isinstance(value, (list, dict)) and not value
    plain = type(value) in (int, Uint, float, bool, str, bytes, type(None)) and value in _NONE
    return NOTHING if empty or plain else Optional(value, True)


def _unwrapped(items: list[Any]) -> list[Any]:
    for item in items:
        if type(item) is not Optional:
            raise CelError(f"value {item} is not optional")
    return [item.value for item in items if item.present]


TABLE = (
    Overload("optional.of", (ANY,), lambda value: Optional(value, True)),
    Overload("optional.ofNonZeroValue", (ANY,), _of_non_zero),
    Overload("optional.none", (), lambda: NOTHING),
    Overload("optional.unwrap", (list,), _unwrapped),
    Overload("unwrapOpt", (list,), _unwrapped),
    Overload("hasValue", (Optional,), lambda one: one.present),
    Overload("value", (Optional,), _value),
)
