"""Does a value fit its type? Every complaint is worded as a real API server words it."""

from collections.abc import Iterator
from typing import Any

from kilde.core.basics.values import Json, canonical
from kilde.core.objects.typed.errors import TypingError
from kilde.core.objects.typed.field_set import Path, readable
from kilde.core.objects.typed.node import ListNode, MapNode, Node, Scalar
from kilde.core.objects.typed.values import LIST, MAP, SCALAR, item_element, shape

Complaint = tuple[Path, str]

DEEPEST = 150  # each level costs frames; honest objects have less than thirty


def check(node: Node, value: Json, *, duplicates: bool) -> None:
    """Raises TypingError with all complaints. `duplicates`: an associative list may hold one key twice."""
    found = [
        f"{readable(path)}: {what}" if path else what for path, what in complaints(node, value, duplicates=duplicates)
    ]
    if len(found) == 1:
        raise TypingError(found[0])
    if found:
        raise TypingError("\n".join(["errors:", *(f"  {line}" for line in found)]))


def fits(node: Node, value: Json, *, duplicates: bool, depth: int = 0) -> bool:
    """Whether there is nothing to complain about in a value that lies so deep."""
    return next(complaints(node, value, duplicates=duplicates, path=("",) * depth), None) is None


def complaints(node: Node, value: Json, *, duplicates: bool, path: Path = ()) -> Iterator[Complaint]:
    """What does not fit, with where. Null fits everywhere."""
    if value is None:
        return
    if len(path) > DEEPEST:
        yield path, "nested too deeply"
        return
    taken = shape(node, value)
    if taken == SCALAR and node.scalar is not None:
        wrong = _scalar(node.scalar, value)
        if wrong:
            yield path, wrong
    elif taken == MAP and node.map is not None:
        if isinstance(value, dict):
            yield from _map(node.map, value, duplicates, path)
        else:
            yield path, f"expected map, got &{{{printed(value)}}}"
    elif taken == LIST and node.list is not None:
        if isinstance(value, list):
            yield from _list(node.list, value, duplicates, path)
        else:
            yield path, f"expected list, got &{{{printed(value)}}}"


def _map(node: MapNode, value: dict[str, Any], duplicates: bool, path: Path) -> Iterator[Complaint]:
    for key, child in value.items():
        below = node.fields.get(key) or node.others
        if below is None:
            yield (*path, f"f:{key}"), "field not declared in schema"
            return  # the real one goes no further in this map either
        if child is not None:
            yield from complaints(below, child, duplicates=duplicates, path=(*path, f"f:{key}"))


def _list(node: ListNode, value: list[Any], duplicates: bool, path: Path) -> Iterator[Complaint]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        element = f"i:{index}"
        if not node.atomic:
            try:
                element = item_element(node, item)
            except ValueError as error:
                yield path, f"element {index}: {error}"
                return  # the real one gives this list up
            if element in seen and not duplicates:
                yield path, f"duplicate entries for key {readable((element,))}"
            seen.add(element)
        yield from complaints(node.items, item, duplicates=duplicates, path=(*path, element))


def _scalar(kind: Scalar, value: Json) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is Scalar.NUMERIC:
        return "" if number else f"expected numeric (int or float), got {_go_type(value)}"
    if kind is Scalar.STRING:
        return (
            ""
            if isinstance(value, str)
            else f"expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"
        )
    if kind is Scalar.BOOLEAN:
        return "" if isinstance(value, bool) else f"expected boolean, got &{{{printed(value)}}}"
    return f"expected any scalar, got &{{{printed(value)}}}" if isinstance(value, (dict, list)) else ""


def _go_type(value: Json) -> str:
    """Go's %T."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return "bool" if isinstance(value, bool) else "string"


def printed(value: Json) -> str:
    """A value as Go prints it with %v: `map[a:1 b:[x y]]`."""
    if value is None:
        return "<nil>"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{printed(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(printed(item) for item in value) + "]"
    return value if isinstance(value, str) else canonical(value).decode()


def _go_syntax(value: Json) -> str:
    """Go's %#v."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, dict):
        inside = ", ".join(f"{canonical(key).decode()}:{_go_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inside}}}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(_go_syntax(item) for item in value) + "}"
    return canonical(value).decode()
