"""Literals: constants that cannot be what they are used for, found once an expression's types are known (cel-go's validators)."""

from collections.abc import Iterator, Mapping

from kilde.core.objects.cel.formatting import check_format
from kilde.core.objects.cel.functions import call
from kilde.core.objects.cel.searches import matches
from kilde.core.objects.cel.tree import Node
from kilde.core.objects.cel.types import Type, is_optional
from kilde.core.objects.cel.values import CelError

_READ = ("duration", "timestamp")


def check_literals(root: Node, types: Mapping[int, Type]) -> Iterator[tuple[int, str]]:
    """(id of a part, what is wrong with it)."""
    parts = list(root.walk())
    mixable = {part.id for one in parts if one.kind == "call" and one.name == "format" for part in one.walk()}
    for kind in ("list", "map"):
        for part in parts:
            if part.kind == kind and part.id not in mixable:
                yield from (_mixed_list if kind == "list" else _mixed_map)(part, types)
    for name in (*_READ, "matches"):
        for part in parts:
            if part.kind == "call" and part.name == name and part.parts and part.parts[0].kind == "const":
                yield from _unreadable(part.parts[0], name)
    for part in parts:
        if part.kind == "call" and part.name == "format" and part.target is not None:
            yield from _ill_formatted(part, types)


def _mixed_list(node: Node, types: Mapping[int, Type]) -> Iterator[tuple[int, str]]:
    found = [(part.id, _present(types[part.id], place in node.optional)) for place, part in enumerate(node.parts)]
    for at, one in found[1:]:
        if one != found[0][1]:
            yield at, _mismatch(found[0][1], one)
            return


def _mixed_map(node: Node, types: Mapping[int, Type]) -> Iterator[tuple[int, str]]:
    places = range(0, len(node.parts), 2)
    keys = [(node.parts[at].id, types[node.parts[at].id]) for at in places]
    values = [
        (node.parts[at + 1].id, _present(types[node.parts[at + 1].id], at // 2 in node.optional)) for at in places
    ]
    for pairs in zip(keys[1:], values[1:], strict=True):
        for (at, one), (_, first) in zip(pairs, (keys[0], values[0]), strict=True):
            if one != first:
                yield at, _mismatch(first, one)


def _present(one: Type, optional: bool) -> Type:
    return one.params[0] if optional and is_optional(one) else one


def _mismatch(wanted: Type, found: Type) -> str:
    return f"expected type '{wanted.shown}' but found '{found.shown}'"


def _unreadable(literal: Node, name: str) -> Iterator[tuple[int, str]]:
    try:
        if name in _READ:
            call(name, [literal.constant])
        elif isinstance(literal.constant, str):
            matches("", literal.constant)
    except CelError:
        yield literal.id, f"invalid {name} argument"


def _ill_formatted(node: Node, types: Mapping[int, Type]) -> Iterator[tuple[int, str]]:
    """Of a constant text with a list literal behind it."""
    target = node.target
    if target is None or target.type != "string" or len(node.parts) != 1 or node.parts[0].kind != "list":
        return
    values = node.parts[0].parts
    wrong = check_format(str(target.constant), values, types)
    if wrong is not None:
        yield wrong[0] or node.id, wrong[1]
