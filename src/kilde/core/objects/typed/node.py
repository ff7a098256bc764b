"""Node: what a value may be at one place of an object, as server-side apply sees it.

A node allows any of a scalar, a list and a map. The rules that make nodes from OpenAPI are in schema.py; what apply
does with them in merging.py. Nodes may be recursive (a CRD's schema holds schemas), so they are compared by identity.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kilde.core.basics.values import Json


class Scalar(StrEnum):
    """What kind of scalar a node takes; UNTYPED takes any."""

    NUMERIC = "numeric"
    STRING = "string"
    BOOLEAN = "boolean"
    UNTYPED = "untyped"


@dataclass(slots=True, eq=False)
class ListNode:
    """A list. `keys` name the fields that tell items apart; an associative list without keys is a set of scalars."""

    items: "Node"
    atomic: bool = True
    keys: tuple[str, ...] = ()
    defaults: dict[str, Json] = field(default_factory=dict)  # key field -> value where the item leaves it out


@dataclass(slots=True, eq=False)
class MapNode:
    """A map: declared fields, and what any other key holds (None: other keys are an error).

    `go` says of a built-in's fields how Go writes them, where that is not the usual case of their kind: a scalar,
    list or map is left out when empty, a struct is a pointer. Codes: "0" always, "p" whenever it was set, "a" always
    (null if nil), "v" a value, always written, "z" a value left out when zero, "n" null when nil.
    """

    fields: dict[str, "Node"] = field(default_factory=dict)
    others: "Node | None" = None
    atomic: bool = False
    go: dict[str, str] = field(default_factory=dict)
    _always: tuple[tuple[str, str], ...] | None = None

    @property
    def always(self) -> tuple[tuple[str, str], ...]:
        """The fields that Go writes even when nobody set them, with their codes."""
        if self._always is None:
            self._always = tuple((key, code) for key, code in self.go.items() if code in "v0an")
        return self._always


@dataclass(slots=True, eq=False)
class Node:
    """What a value may be. `patch` is what a strategic merge patch does here; `format` is OpenAPI's word or "quantity"."""

    scalar: Scalar | None = None
    list: ListNode | None = None
    map: MapNode | None = None
    format: str = ""
    definition: str = ""  # the OpenAPI definition this node is, "" for an inline one
    patch_strategy: tuple[str, ...] = ()
    patch_key: str = ""

    def child(self, key: str) -> "Node | None":
        """The node of a map's key, whether declared or not; None if there is none."""
        if self.map is None:
            return None
        return self.map.fields.get(key) or self.map.others

    def at(self, *path: str) -> "Node | None":
        """The node below these fields; a list is entered by "[]"."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            below = node.list.items if node.list else None
            node = below if step == "[]" else node.child(step)
        return node

    def __repr__(self) -> str:  # a recursive dataclass repr would never end
        parts: list[Any] = [
            self.definition or "inline",
            self.scalar,
            "list" if self.list else "",
            "map" if self.map else "",
        ]
        return f"<Node {' '.join(str(part) for part in parts if part)}>"


def _deduced() -> tuple[Node, Node]:
    atomic = Node(scalar=Scalar.UNTYPED)
    atomic.list = ListNode(atomic)
    atomic.map = MapNode(others=atomic, atomic=True)
    deduced = Node(scalar=Scalar.UNTYPED, list=ListNode(atomic))
    deduced.map = MapNode(others=deduced)
    return deduced, atomic


# Where no schema says more: maps are granular, lists atomic, what is inside those is atomic too.
DEDUCED, UNTYPED_ATOMIC = _deduced()
