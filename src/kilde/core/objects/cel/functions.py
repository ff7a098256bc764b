"""Functions: what a call does, by its name and the types of its operands."""

from collections.abc import Callable, Sequence
from typing import Any

from kilde.core.objects.cel import (
    authorizing,
    conversions,
    lists,
    network,
    operators,
    optionals,
    searches,
    texts,
    times,
    units,
)
from kilde.core.objects.cel.overloads import Overload
from kilde.core.objects.cel.values import Duration, GrowingList, MapList, SetList, Timestamp, Uint, kind, no_overload

_ALL: dict[str, list[Overload]] = {}
for _table in (
    *(operators.TABLE, conversions.TABLE, times.TABLE, texts.TABLE, searches.TABLE),
    *(lists.TABLE, optionals.TABLE, network.TABLE, units.TABLE, authorizing.TABLE),
):
    for _one in _table:
        _ALL.setdefault(_one.name, []).append(_one)

_Chosen = dict[tuple[str, tuple[type, ...]], Callable[..., Any] | None]
_chosen: _Chosen = {}  # as many as there are types
_BARE = frozenset(("_+_", "_-_", "_*_", "_/_", "_%_", "_<_", "_<=_", "_>_", "_>=_", "-_", "!_", "@in"))
_NUMBERS = (int, Uint, float)
_KNOWN: dict[str, tuple[type, ...]] = {  # which types know an operator at all
    "_+_": (*_NUMBERS, str, bytes, list, SetList, MapList, GrowingList, Timestamp, Duration),
    "_-_": (*_NUMBERS, Timestamp, Duration),
    "_*_": _NUMBERS,
    "_/_": _NUMBERS,
    "_%_": (int, Uint),
}
_BARE |= frozenset(("contains", "startsWith", "endsWith", "matches"))


def call(name: str, args: Sequence[Any]) -> Any:
    """The value of a call. CelError."""
    types = tuple(map(type, args))
    try:
        does = _chosen[name, types]
    except KeyError:
        fitting = (one.does for one in _ALL.get(name, ()) if one.takes(types))
        does = _chosen[name, types] = next(fitting, None)
    if does is None:
        raise no_overload(_called(name, args))
    return does(*args)


def _called(name: str, args: Sequence[Any]) -> str:
    """How an error names a call."""
    adds = _KNOWN.get(name)
    if adds is not None and type(args[0]) not in (*adds, str, Timestamp, Duration):
        return name
    return "" if name in _BARE else name if name == "size" else f"{name}({', '.join(map(kind, args))})"
