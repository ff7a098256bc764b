"""YAML as nodes that remember how they were written: quotes, flow, anchors, tags and comments.

For text that people keep and a program changes a little. Comments are found in the gaps between scalars, because libyaml
does not report them.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, StreamEndEvent

from kilde.core.basics.errors import InvalidYaml, LimitExceeded

_MAX_DEPTH = 100
_STANDARD = "tag:yaml.org,2002:"
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#.*")


@dataclass(slots=True)
class Comments:
    """`head`: lines above, empty ones between groups kept; `line`: behind it on its line; `foot`: lines below it."""

    head: list[str] = field(default_factory=list)
    line: str = ""
    foot: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Scalar:
    """`style` is "", ', ", | or >; `tag` as written ("" if none)."""

    text: str
    style: str = ""
    tag: str = ""
    anchor: str = ""


@dataclass(slots=True)
class Alias:
    """A use of an anchor."""

    anchor: str


@dataclass(slots=True)
class Entry:
    """One entry of a mapping (`key` is a node) or of a sequence (`key` is None); `row` and `column` from 0."""

    key: Any
    value: Any
    row: int = -1
    column: int = 0
    comments: Comments = field(default_factory=Comments)


@dataclass(slots=True)
class Collection:
    """A mapping or a sequence."""

    mapping: bool
    entries: list[Entry]
    flow: bool = False
    tag: str = ""
    anchor: str = ""

    def get(self, key: str) -> Entry | None:
        """The entry with a scalar key."""
        for entry in self.entries:
            if isinstance(entry.key, Scalar) and entry.key.text == key:
                return entry
        return None


@dataclass(slots=True)
class NodeDocument:
    """The first document of a text. `foot`: the comment lines at its end."""

    root: Any
    foot: list[str]


def parse_nodes(text: str) -> NodeDocument | None:
    """The first document; None if it says nothing. Raises InvalidYaml and LimitExceeded."""
    parser = _NodeParser(str(text))
    try:
        root = parser.document()
    except yaml.YAMLError as error:
        raise InvalidYaml("not YAML: " + " ".join(str(error).split())[:200]) from error
    return None if root is None else NodeDocument(root, parser.attach_comments())


class _NodeParser:
    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.next = CParser(text).get_event
        self.entries: list[Entry] = []
        self.spans: list[tuple[int, int, int, int]] = []
        self.end = len(self.lines)

    def document(self) -> Any:
        self.next()
        if isinstance(self.next(), StreamEndEvent):
            return None
        root = self.node(self.next(), 0)
        end: Any = self.next()
        if not end.explicit:
            following: Any = self.next()
            if not isinstance(following, StreamEndEvent):
                self.end = following.start_mark.line
        return root

    def node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is AliasEvent:
            return Alias(event.anchor)
        tag = event.tag or ""
        tag = "!!" + tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else tag
        if kind is ScalarEvent:
            self.spans.append(
                (event.start_mark.line, event.start_mark.column, event.end_mark.line, event.end_mark.column)
            )
            return Scalar(event.value, event.style or "", tag, event.anchor or "")
        if depth >= _MAX_DEPTH:
            raise LimitExceeded(f"nested deeper than {_MAX_DEPTH} levels")
        mapping = kind is MappingStartEvent
        found = Collection(mapping, [], bool(event.flow_style), tag, event.anchor or "")
        stop = MappingEndEvent if mapping else SequenceEndEvent
        while not isinstance(item := self.next(), stop):
            mark: Any = item.start_mark  # type: ignore[union-attr]
            entry = Entry(None, None, mark.line, mark.column - (0 if mapping else 2))
            found.entries.append(entry)
            if not found.flow:
                self.entries.append(entry)
            first = self.node(item, depth + 1)
            entry.key, entry.value = (first, self.node(self.next(), depth + 1)) if mapping else (None, first)
        return found

    def attach_comments(self) -> list[str]:
        """Gives every comment to the entry behind it, or beside it; what is left belongs to the end of the document."""
        rows = self.comment_rows()
        starts: dict[int, Entry] = {}
        for entry in self.entries:
            starts.setdefault(entry.row, entry)
        last: dict[int, Entry] = {entry.row: entry for entry in self.entries}
        waiting: list[str] = []
        columns: list[int] = []
        for row in range(self.end):
            text, whole = rows.get(row, ("", False))
            if whole:
                waiting.append(text)
                columns.append(len(self.lines[row]) - len(self.lines[row].lstrip()))
            elif waiting and not self.lines[row].strip() and waiting[-1]:
                waiting.append("")
                columns.append(columns[-1])
            if row in starts:
                self.hand_over(starts[row], waiting, columns)
                waiting, columns = [], []
            if text and not whole and row in last:
                last[row].comments.line = text
        while waiting and not waiting[-1]:
            waiting.pop()
        if waiting and self.blank_before_end(waiting):
            waiting.insert(0, "")
        return waiting

    def hand_over(self, entry: Entry, waiting: list[str], columns: list[int]) -> None:
        """Comments above an entry are its own, but those further in than it belong below the entry before them."""
        deeper = 0
        while deeper < len(waiting) and columns[deeper] > entry.column:
            deeper += 1
        before = (
            [found for found in self.entries if found.row < entry.row and found.column <= columns[0]] if deeper else []
        )
        if before:
            max(before, key=lambda found: found.row).comments.foot = waiting[:deeper]
        entry.comments.head = waiting[deeper:] if before else waiting

    def blank_before_end(self, waiting: list[str]) -> bool:
        """Whether an empty line stands before the comments at the end."""
        for row in range(self.end):
            if self.lines[row].strip() == waiting[0]:
                begin = row
        return begin > 0 and not self.lines[begin - 1].strip()

    def comment_rows(self) -> dict[int, tuple[str, bool]]:
        """For each row with a comment: its text, and whether it has the row for itself."""
        inside: set[int] = set()
        on_row: dict[int, list[tuple[int, int]]] = {}
        for row, column, end_row, end_column in self.spans:
            inside.update(range(row + 1, end_row))
            on_row.setdefault(row, []).append((column, end_column if end_row == row else 1 << 30))
            if end_row > row:
                on_row.setdefault(end_row, []).append((0, end_column))
        found: dict[int, tuple[str, bool]] = {}
        for row, line in enumerate(self.lines[: self.end]):
            if row in inside or "#" not in line:
                continue
            spans = on_row.get(row, [])
            for match in _COMMENT.finditer(line):
                if not any(begin <= match.start() < end for begin, end in spans):
                    found[row] = (match.group().rstrip(), not line[: match.start()].strip())
                    break
        return found
