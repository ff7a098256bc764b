"""Shapes: what is known of values before an expression is evaluated. It decides which of several functions of one name is meant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional


@dataclass(frozen=True, slots=True)
class Shape:
    """`kind` is string, int, uint, double, bool, bytes, timestamp, duration, null, list, map, object, or "" where nobody knows."""

    kind: str = ""
    item: Optional["Shape"] = None
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    key: str = "string"

    def within(self, name: str) -> "Shape":
        """The shape of a field, or of what is at a key."""
        if self.kind == "object":
            return self.fields.get(name, UNKNOWN)
        return self.item or UNKNOWN


UNKNOWN = Shape()
"""Nothing is known."""


def of(kind: str) -> Shape:
    """A shape that is no more than a kind, as a tree names it."""
    return Shape("" if kind == "dyn" else kind)
