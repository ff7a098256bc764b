"""YAML as spans of its text: which characters are which node, for changing one of them and leaving the rest alone.

Offsets count characters from 0. libyaml tells where nodes begin and end; its tokens tell where dashes and keys are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from yaml.tokens import BlockEntryToken, KeyToken

from kilde.core.basics.errors import InvalidYaml, LimitExceeded
from kilde.core.objects.yaml_scalars import resolve_11

Kind = Literal["scalar", "mapping", "sequence", "alias"]
Spelling = Callable[[tuple[str | int, ...], str], str]
"""What a key at a path of names is called, from how it is written."""

_MAX_DEPTH = 100


class Node:
    """`start` counts anchor and tag in, `body` does not; `end` is behind the last character that says something.

    `style` is that of a scalar: "", ', ", | or >. `column` is that of a block collection's dashes or keys; `named` nodes
    have an anchor.
    """

    __slots__ = ("body", "children", "column", "end", "flow", "kind", "named", "start", "style", "tagged")

    def __init__(self, kind: Kind, start: int, end: int, event: Any = None) -> None:
        self.kind, self.start, self.body, self.end = kind, start, start, end
        self.style: str = ""
        self.tagged: bool = event is not None and event.tag is not None
        self.named: bool = event is not None and event.anchor is not None
        self.flow: bool = False
        self.column = 0
        self.children: list[Child] = []

    @property
    def is_block(self) -> bool:
        return self.kind in ("mapping", "sequence") and not self.flow


class Child:
    """One entry of a mapping (`name` is its key) or of a sequence (`name` is ""). `start` is its key's or dash's."""

    __slots__ = ("key_end", "name", "start", "value")

    def __init__(self, start: int, value: Node, name: str = "", key_end: int = -1) -> None:
        self.start, self.value, self.name, self.key_end = start, value, name, key_end

    @property
    def end(self) -> int:
        return max(self.value.end, self.key_end)


class SpannedDocument(NamedTuple):
    """The first document that says something: its root (None if there is none) and where it ends, markers left out."""

    root: Node | None
    end: int


def parse_spans(text: str, spelling: Spelling = lambda _path, key: key) -> SpannedDocument:
    """The spans of a text without a byte order mark. Raises InvalidYaml and LimitExceeded."""
    try:
        return _Spans(text, spelling).document()
    except yaml.YAMLError as error:
        raise InvalidYaml("not YAML: " + " ".join(str(error).split())[:200]) from error


def line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Where the line of an offset ends, its newline counted in; an offset at the start of a line is its own."""
    if offset and text[offset - 1] == "\n":
        return offset
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1


class _Spans:
    def __init__(self, text: str, spelling: Spelling) -> None:
        self.text, self.spelling = text, spelling
        self.next: Callable[[], Any] = CParser(text).get_event
        self.dashes: list[int] = []
        self.keys: list[int] = []
        scan: Callable[[], Any] = CParser(text).get_token
        while (token := scan()) is not None:
            if type(token) is BlockEntryToken:
                self.dashes.append(token.start_mark.index)
            elif type(token) is KeyToken:
                self.keys.append(token.start_mark.index)

    def document(self) -> SpannedDocument:
        self.next()
        root: Node | None = None
        while not isinstance(self.next(), StreamEndEvent):
            found = self.node(self.next(), (), 0)
            end: Any = self.next()
            assert isinstance(end, DocumentEndEvent)
            if found.children or found.kind != "scalar" or self.text[found.body : found.end] not in ("", "~", "null"):
                root = found
                break
        else:
            return SpannedDocument(None, len(self.text))
        following: Any = end if end.explicit else self.next()
        is_last = isinstance(following, StreamEndEvent)
        return SpannedDocument(root, len(self.text) if is_last else following.start_mark.index)

    def node(self, event: Any, path: tuple[str | int, ...], depth: int) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        if type(event) is AliasEvent:
            return Node("alias", start, end)
        if type(event) is ScalarEvent:
            found = Node("scalar", start, end, event)
            found.style = event.style or ""
            self.skip_properties(found)
            if found.style in ("|", ">") and "+" not in self.text[found.body : end].partition("\n")[0]:
                found.end = found.body + len(self.text[found.body : end].rstrip(" \t\r\n"))
                found.end = min(end, line_end(self.text, found.end))
            return found
        if depth >= _MAX_DEPTH:
            raise LimitExceeded(f"nested deeper than {_MAX_DEPTH} levels")
        found = Node("mapping" if type(event) is MappingStartEvent else "sequence", start, end, event)
        found.flow = bool(event.flow_style)
        self.fill(found, path, depth + 1)
        self.skip_properties(found)
        if found.children and not found.flow:
            found.end = found.children[-1].end
            first = found.children[0].start
            found.column = first - line_start(self.text, first)
        return found

    def fill(self, node: Node, path: tuple[str | int, ...], depth: int) -> None:
        mapping = node.kind == "mapping"
        stop = MappingEndEvent if mapping else SequenceEndEvent
        while True:
            item: Any = self.next()
            if type(item) is stop:
                break
            child = self.entry(item, path, depth) if mapping else self.element(item, node, path, depth)
            node.children.append(child)
        if node.flow:
            last: Any = item
            node.end = last.end_mark.index

    def entry(self, event: Any, path: tuple[str | int, ...], depth: int) -> Child:
        key = self.node(event, path, depth)
        name = self.spelling(path, _name(event)) if type(event) is ScalarEvent else ""
        start = self.keys[max(bisect_right(self.keys, key.start) - 1, 0)] if self.keys else key.start
        explicit = self.text[start : start + 1] == "?"
        value = self.node(self.next(), (*path, name), depth)
        return Child(start if explicit else key.start, value, name, key.end)

    def element(self, event: Any, node: Node, path: tuple[str | int, ...], depth: int) -> Child:
        value = self.node(event, (*path, len(node.children)), depth)
        return Child(value.start if node.flow else self.dashes[bisect_left(self.dashes, value.start) - 1], value)

    def skip_properties(self, node: Node) -> None:
        """Sets where a node begins behind its anchor and tag."""
        if not (node.tagged or node.named):
            return
        at = node.start
        while self.text[at : at + 1] in ("&", "!"):
            while self.text[at : at + 1].strip() and self.text[at] not in ",[]{}":
                at += 1
            at += len(self.text[at:]) - len(self.text[at:].lstrip(" \t"))
        node.body = at


def _name(event: Any) -> str:
    """A key as JSON has it: YAML 1.1 takes `y` for true."""
    if event.style or event.tag:
        return str(event.value)
    value = resolve_11(event.value)
    return str(value).lower() if isinstance(value, bool) else str(value)
