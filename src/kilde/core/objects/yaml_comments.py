"""Comments of a part of a YAML text, found between its scalars, because libyaml does not report them."""

import re
from collections.abc import Iterator

from kilde.core.objects.yaml_spans import Child, line_end, line_start

_COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\n]*")


def comments_between(text: str, begin: int, end: int, child: Child) -> list[str]:
    """The comments between two offsets that hold one entry, in order, without what is before and behind them."""
    return [comment for gap in _gaps(begin, end, _scalars(child)) for comment in _comments(text, *gap)]


def loose_comments(text: str, child: Child) -> list[str]:
    """The comments that have lines of their own between the entries of an entry's collection."""
    found: list[str] = []
    inner = child.value.children if child.value.is_block else []
    cursor = line_end(text, child.key_end if child.key_end >= 0 else child.start + 1)
    for item in inner:
        begin = line_start(text, item.start)
        if begin >= cursor:
            found += [line.strip() for line in text[cursor:begin].split("\n") if line.strip()]
        cursor = line_end(text, item.end)
    return found


def _scalars(child: Child) -> Iterator[tuple[int, int]]:
    if child.key_end >= 0:
        yield child.start, child.key_end
    if child.value.kind == "scalar":
        yield child.value.start, child.value.end
    for inner in child.value.children:
        yield from _scalars(inner)


def _gaps(begin: int, end: int, scalars: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for scalar_begin, scalar_end in scalars:
        yield begin, scalar_begin
        begin = scalar_end
    yield begin, end


def _comments(text: str, begin: int, end: int) -> list[str]:
    found = _COMMENT.finditer(text[max(begin - 1, 0) : end]) if begin < end else ()
    return [match.group().rstrip() for match in found]
