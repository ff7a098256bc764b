"""YAML and JSON as nodes that know their places, of all that can be read: what is broken hides nothing behind it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import yaml
from yaml._yaml import CParser
from yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, StreamEndEvent

_DEPTH = 100
_GAP = "\ufffc"  # stands for what a template would put there
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)[^\n]*(?:\n|\Z)", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Leaf(NamedTuple):
    """A scalar. Lines from 1, column from 0; `last`: its last line; `is_block`: a literal or folded one, which begins a line below."""

    text: str
    line: int
    column: int
    last: int
    is_block: bool


@dataclass(slots=True)
class Branch:
    """A mapping; a key may come twice. `line`: its first one, `last`: its last one."""

    entries: list[tuple[str, "Node"]]
    line: int
    last: int

    def get(self, key: str) -> "Node | None":
        return next((value for name, value in self.entries if name == key), None)

    def text(self, key: str) -> str:
        """Of a scalar; "" for anything else."""
        found = self.get(key)
        return found.text if isinstance(found, Leaf) else ""

    def branch(self, key: str) -> "Branch | None":
        found = self.get(key)
        return found if isinstance(found, Branch) else None

    def items(self, key: str) -> "list[Node]":
        found = self.get(key)
        return found if isinstance(found, list) else []


Node: TypeAlias = "Leaf | Branch | list[Node]"


class Part(NamedTuple):
    """One document of a text: its first line (from 1), its text, and what it says; `root` None where that cannot be read."""

    line: int
    text: str
    root: "Node | None"


def parts_of(text: str, line: int = 1) -> Iterator[Part]:
    """Every document."""
    begin = 0
    for separator in _SEPARATOR.finditer(text):
        if text[begin : separator.start()].strip():
            yield _part(text[begin : separator.start()], line)
        line += text.count("\n", begin, separator.end())
        begin = separator.end()
    if text[begin:].strip():
        yield _part(text[begin:], line)


def _part(text: str, line: int) -> Part:
    readable = _UNPRINTABLE.sub(_GAP, without_templates(text))
    try:
        return Part(line, text, _Reader(readable, line).root())
    except (yaml.YAMLError, _TooDeep, ValueError):
        return Part(line, text, None)


def without_templates(text: str) -> str:
    """The text with every `{{ … }}` taken out; what stands behind it keeps its place. A line of nothing else becomes empty."""
    if "{{" not in text:
        return text
    out, at = [], 0
    while (begin := text.find("{{", at)) >= 0 and (end := text.find("}}", begin)) >= 0:
        out.append(text[at:begin])
        out.append("".join("\n" if mark == "\n" else _GAP for mark in text[begin : end + 2]))
        at = end + 2
    out.append(text[at:])
    lines = "".join(out).split("\n")
    return "\n".join("" if _GAP in one and not one.replace(_GAP, "").strip() else one for one in lines)


class _TooDeep(Exception):
    """Nested deeper than anything honest."""


class _Reader:
    def __init__(self, text: str, line: int) -> None:
        self._next = CParser(text).get_event
        self._line = line

    def root(self) -> "Node | None":
        self._next()
        if isinstance(self._next(), StreamEndEvent):
            return None
        root = self._node(self._next(), 0)
        self._next()
        if not isinstance(self._next(), StreamEndEvent):
            raise yaml.YAMLError("more than one document")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        mark: Any = event.start_mark
        first = mark.line + self._line
        if isinstance(event, ScalarEvent):
            end: Any = event.end_mark
            last = max(end.line if end.column else end.line - 1, mark.line) + self._line
            return Leaf(event.value, first, mark.column, last, event.style in ("|", ">"))
        if isinstance(event, AliasEvent):
            return Leaf("", first, mark.column, first, False)  # it is looked at where it is written
        if depth >= _DEPTH:
            raise _TooDeep
        item: Any
        if isinstance(event, MappingStartEvent):
            entries: list[tuple[str, Node]] = []
            while not isinstance(item := self._next(), MappingEndEvent):
                key = self._node(item, depth + 1)
                entries.append((key.text if isinstance(key, Leaf) else "", self._node(self._next(), depth + 1)))
            return Branch(entries, first, _line(item.end_mark) + self._line)
        found: list[Node] = []
        while not isinstance(item := self._next(), SequenceEndEvent):
            found.append(self._node(item, depth + 1))
        return found


def _line(mark: Any) -> int:
    return int(mark.line)


def leaves(node: "Node | None") -> Iterator[Leaf]:
    """Every scalar below."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Branch):
        for _, value in node.entries:
            yield from leaves(value)
    elif node is not None:
        for value in node:
            yield from leaves(value)
