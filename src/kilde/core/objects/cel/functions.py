"""Functions: what a call does, by its name and the types of its operands."""

from collections.abc import Callable, Sequence
from typing import Any

from kilde.core.objects.cel import conversions, lists, network, operators, optionals, searches, texts, times, units
from kilde.core.objects.cel.overloads import Overload
from kilde.core.objects.cel.values import kind, no_overload

_ALL: dict[str, list[Overload]] = {}
for _table in (
    *(operators.TABLE, conversions.TABLE, times.TABLE, texts.TABLE, searches.TABLE),
    *(lists.TABLE, optionals.TABLE, network.TABLE, units.TABLE),
):
    for _one in _table:
        _ALL.setdefault(_one.name, []).append(_one)

_Chosen = dict[tuple[str, tuple[type, ...]], Callable[..., Any] | None]
_chosen: _Chosen = {}  # as many as there are types
_TRAITS = frozenset(("_+_", "_-_", "_*_", "_/_", "_%_", "_<_", "_<=_", "_>_", "_>=_", "-_", "!_", "@in"))


def call(name: str, args: Sequence[Any]) -> Any:
    """The value of a call. CelError."""
    types = tuple(map(type, args))
    try:
        does = _chosen[name, types]
    except KeyError:
        fitting = (one.does for one in _ALL.get(name, ()) if one.takes(types))
        does = _chosen[name, types] = next(fitting, None)
    if does is None:
        raise no_overload("" if name in _TRAITS else f"{name}({', '.join(map(kind, args))})")
    return does(*args)
