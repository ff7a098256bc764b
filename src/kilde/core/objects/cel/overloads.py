"""Overload: one meaning of a function's name, for operands of certain types."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

ANY = object
"""Stands for a value of whatever type."""

_FAMILIES = (list, dict)  # those of which the values have types of their own


class Overload(NamedTuple):
    """`types` are those of the operands, the target first."""

    name: str
    types: tuple[type, ...]
    does: Callable[..., Any]

    def takes(self, types: Sequence[type]) -> bool:
        """Whether it is for operands of these types."""
        return len(types) == len(self.types) and all(
            wanted is ANY or wanted is found or (wanted in _FAMILIES and issubclass(found, wanted))
            for wanted, found in zip(self.types, types, strict=True)
        )


def overloads(types: tuple[type, ...], table: Mapping[str, Callable[..., Any]]) -> Iterator[Overload]:
    """Several functions of the same operands."""
    return (Overload(name, types, does) for name, does in table.items())
