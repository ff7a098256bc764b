"""Reads YAML (and JSON) from people who may be hostile: every document with its line, exact as the real readers see it.

Events come from libyaml; what a scalar means is yaml_scalars' business. Two modes: `kubernetes` (what `kubectl apply`
sees) and `kustomize` (what `kustomize build` sees; scalars remember how they were written).
"""

import re
from collections.abc import Iterator
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
    SequenceStartEvent,
    StreamEndEvent,
)

from kilde.core.basics.errors import InvalidYaml, LimitExceeded, Place
from kilde.core.objects.yaml_folding import folded
from kilde.core.objects.yaml_scalars import (
    EMPTY,
    EMPTY_IN_FLOW,
    OddKey,
    Quoted,
    Raw,
    copy_tree,
    is_null,
    resolve_11,
    resolve_12,
    tagged,
)

Mode = Literal["kubernetes", "kustomize"]
Duplicates = Literal["refuse", "first", "last"]
Path = tuple[str | int, ...]

_SEPARATOR = re.compile(rb"\n---[^\n]*\n")
_SEPARATOR_REST = re.compile(rb"\n---[ \t]*(?:#[^\n]*)?\n")
_NO_CONTENT = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\n|%[^\n]*\n)*[ \t]*(?:#[^\n]*)?")  # comments and directives
_BOM = b"\xef\xbb\xbf"


class YamlLimits(NamedTuple):
    """What is still honest: `size` in bytes of a file, `depth` of nesting, `aliased` nodes that aliases may stand for."""

    size: int = 32 << 20
    depth: int = 100
    aliased: int = 100_000


DEFAULT_LIMITS = YamlLimits()


class Document:
    """One document: its value, and the line (from 1) it begins on. `alone`: no line of the file marks another one.

    `repeated` is what would have been said of the first key that is there twice, where the last one counts.
    """

    __slots__ = ("_offset", "_text", "alone", "file", "line", "repeated", "value")

    def __init__(self, value: Any, line: int, file: str, text: bytes = b"", offset: int = 0) -> None:
        self.value, self.line, self.file = value, line, file
        self._text, self._offset = text, offset
        self.alone = False
        self.repeated: InvalidYaml | None = None

    def place(self, path: Path = ()) -> Place:
        """Where a field is, found by reading the text again; the nearest parent's place where the field is not written."""
        if not path:
            return Place(self.file, self.line)
        line, column = _find(self._text, path) if self._text else (-1, -1)
        return Place(self.file, line + self._offset + 1, column + 1) if line >= 0 else Place(self.file, self.line)

    @property
    def text(self) -> bytes:
        """What it was read from; b"" where that is not known any more."""
        return self._text

    def copy(self) -> "Document":
        """A document whose value can be changed without changing this one's."""
        found = Document(copy_tree(self.value), self.line, self.file, self._text, self._offset)
        found.alone = self.alone
        return found

    def without_text(self) -> "Document":
        """The same, lighter: from now on it knows no places but its own line."""
        return Document(self.value, self.line, self.file)

    def item_lines(self, key: str) -> list[int]:
        """The line of each element of a top-level list, in one scan."""
        return [line + self._offset + 1 for line in _element_lines(self._text, key)] if self._text else []


def read_documents(
    data: bytes,
    *,
    file: str,
    mode: Mode = "kubernetes",
    limits: YamlLimits = DEFAULT_LIMITS,
    duplicates: Duplicates = "refuse",
) -> list[Document]:
    """Every document that says something (empty and null ones are skipped).

    Raises InvalidYaml with its place, and LimitExceeded for what is larger, deeper or more repetitive than `limits`.
    A file is cut at lines that begin with `---` before it is parsed, as both real readers do: an anchor does not
    reach the next document.
    """
    if len(data) > limits.size:
        raise LimitExceeded(f"is {len(data)} bytes, more than {limits.size}", place=Place(file))
    found: list[Document] = []
    parts = list(_parts(data, file))
    for text, offset in parts:
        builder = _Builder(text, offset, file, mode, limits, duplicates)
        value = builder.document()
        if not is_null(value):
            document = Document(value, builder.first_line + 1, file, text, offset)
            document.repeated = builder.repeated
            found.append(document)
    for document in found:
        document.alone = len(parts) == 1
    return found


def read_first(data: bytes, *, limits: YamlLimits = DEFAULT_LIMITS, duplicates: Duplicates = "refuse") -> Any:
    """The value of the first document, as a Go decoder reads it: what comes behind it is not looked at. None if it says nothing."""
    if len(data) > limits.size:
        raise LimitExceeded(f"is {len(data)} bytes, more than {limits.size}")
    parts = _parts(data, "")
    text, offset = next(parts)
    if _NO_CONTENT.fullmatch(text):
        text, offset = next(parts, (text, offset))
        if text.startswith(b"---"):  # two marks in a row: the first document is empty
            return None
    value = _Builder(text, offset, "", "kubernetes", limits, duplicates).document()
    return None if is_null(value) else value


def _parts(data: bytes, file: str) -> Iterator[tuple[bytes, int]]:
    """The text of each document, and how many lines come before it."""
    data = data.removeprefix(_BOM)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    begin, line = 0, 0
    for match in _SEPARATOR.finditer(data):
        lines = data.count(b"\n", begin, match.end())
        if not _SEPARATOR_REST.fullmatch(match.group()):
            raise InvalidYaml(
                "invalid document separator", place=Place(file, line + lines), hint="only a comment may follow '---'"
            )
        yield data[begin : match.start() + 1], line
        begin, line = match.end(), line + lines
    yield data[begin:], line


class _Builder:
    """Turns the events of one document into values."""

    def __init__(
        self, text: bytes, offset: int, file: str, mode: Mode, limits: YamlLimits, duplicates: Duplicates
    ) -> None:
        self.offset, self.file, self.limits = offset, file, limits
        self.kubernetes = mode == "kubernetes"
        self.resolve = resolve_11 if self.kubernetes else resolve_12
        self.duplicates = duplicates
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.open: set[str] = set()
        self.budget = limits.aliased
        self.nodes = 0
        self.first_line = offset
        self.repeated: InvalidYaml | None = None
        self.parser = CParser(text)
        self.next = self.parser.get_event

    def document(self) -> Any:
        try:
            self.next()  # the stream begins
            if type(self.next()) is StreamEndEvent:
                return None
            event: Any = self.next()
            self.first_line = event.start_mark.line + self.offset
            value = self.node(event, 0, flow=False)
            end: Any = self.next()
            if type(end) is DocumentEndEvent and not end.explicit:
                self.next()  # what follows without a mark is an error; behind `...` both real readers ignore it
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self.file, mark.line + self.offset + 1, mark.column + 1) if mark else Place(self.file)
            what = error.problem or "not YAML"
            raise InvalidYaml(f"{what} {error.context or ''}".strip(), place=place) from error
        except yaml.YAMLError as error:
            raise InvalidYaml(_reason(error), place=Place(self.file)) from error
        except UnicodeDecodeError as error:
            raise InvalidYaml("not UTF-8 text", place=Place(self.file)) from error
        return value

    def error(self, event: Any, what: str, hint: str = "") -> InvalidYaml:
        mark = event.start_mark
        return InvalidYaml(what, hint=hint, place=Place(self.file, mark.line + self.offset + 1, mark.column + 1))

    def node(self, event: Any, depth: int, *, flow: bool) -> Any:
        self.nodes += 1
        kind = type(event)
        if kind is ScalarEvent:
            value = self.scalar(event, flow)
            if event.anchor is not None:
                self.anchors[event.anchor] = (value, 1)
            return value
        if kind is AliasEvent:
            return self.alias(event)
        if depth >= self.limits.depth:
            mark = event.start_mark
            place = Place(self.file, mark.line + self.offset + 1, mark.column + 1)
            raise LimitExceeded(f"nested deeper than {self.limits.depth} levels", place=place)
        anchor, before = event.anchor, self.nodes
        if anchor is not None:
            self.open.add(anchor)
        value = self.mapping(event, depth + 1) if kind is MappingStartEvent else self.sequence(event, depth + 1)
        if anchor is not None:
            self.open.discard(anchor)
            self.anchors[anchor] = (value, self.nodes - before + 1)
        return value

    def scalar(self, event: Any, flow: bool) -> Any:
        text = event.value
        if event.tag is not None and (self.kubernetes or event.tag != "!" or event.style):
            try:
                return tagged(event.tag, text, kubernetes=self.kubernetes, quoted=bool(event.style))
            except ValueError as error:
                raise self.error(event, str(error)) from error
        if event.style:
            return text if self.kubernetes else folded(text) if event.style == ">" else Quoted(text)
        if flow and not text and not self.kubernetes:
            return EMPTY_IN_FLOW
        value = self.resolve(text)
        if self.kubernetes and isinstance(value, Raw):
            raise self.error(event, f"'{text}' has no place in JSON")
        if flow and isinstance(value, Raw) and ":" in text:
            return text  # kustomize writes such a time in quotes before it reads it once more
        return value

    def alias(self, event: Any) -> Any:
        name = event.anchor
        if name in self.open:
            raise self.error(event, f"anchor '{name}' contains itself")
        if name not in self.anchors:
            raise self.error(event, f"unknown anchor '{name}'")
        value, size = self.anchors[name]
        self.budget -= size
        if self.budget < 0:
            raise LimitExceeded(
                f"aliases stand for more than {self.limits.aliased} nodes",
                place=Place(self.file, event.start_mark.line + self.offset + 1, event.start_mark.column + 1),
            )
        self.nodes += size - 1
        return copy_tree(value)

    def sequence(self, event: Any, depth: int) -> list[Any]:
        found: list[Any] = []
        get, node, flow = self.next, self.node, bool(event.flow_style)
        while type(item := get()) is not SequenceEndEvent:
            found.append(node(item, depth, flow=flow))
        return found

    def mapping(self, event: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merges: list[Any] = []
        get, node, flow = self.next, self.node, bool(event.flow_style)
        while type(key_event := get()) is not MappingEndEvent:
            if type(key_event) is ScalarEvent and key_event.value == "<<" and not key_event.style and not key_event.tag:
                if merges and not self.kubernetes:
                    raise self.error(key_event, "mapping key '<<' already defined")
                merges.append((key_event, node(get(), depth, flow=False)))
                continue
            key = self.key(key_event, depth)
            value = node(get(), depth, flow=flow)
            if key in found:
                error = self.error(key_event, f"mapping key '{key}' already defined")
                if self.duplicates == "refuse":
                    raise error
                if self.duplicates == "first":
                    continue
                self.repeated = self.repeated or error
            found[key] = value
        for key_event, merged in merges:
            self.merge(key_event, found, merged, flow=flow)
        return found

    def key(self, event: Any, depth: int) -> str:
        value = self.node(event, depth, flow=False)
        if type(value) is str:
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, (dict, list)) or (value is None and self.kubernetes):
            raise self.error(event, "a mapping key must be a string")
        if self.kubernetes:
            return _json_key(value)
        return OddKey(event.value)

    def merge(self, event: Any, into: dict[str, Any], merged: Any, *, flow: bool) -> None:
        sources = merged if isinstance(merged, list) else [merged]
        for source in sources:
            if not isinstance(source, dict):
                raise self.error(event, "map merge requires map or sequence of maps as the value")
            for key, value in source.items():
                if key not in into:
                    into[key] = EMPTY if value is EMPTY_IN_FLOW and not flow else value


def _json_key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _reason(error: yaml.YAMLError) -> str:
    reason = getattr(error, "reason", None)
    return str(reason) if reason else "not YAML: " + " ".join(str(error).split())[:200]


def _find(text: bytes, path: Path) -> tuple[int, int]:
    """Line and column (from 0) of the deepest written part of `path`; (-1, -1) if there is none."""
    parser = CParser(text)
    best = (-1, -1)
    try:
        for _ in range(2):
            parser.get_event()
        event = parser.get_event()
        for step in path:
            child = _enter(parser, event, step)
            if child is None:
                break
            mark, event = child
            best = (mark.line, mark.column)
    except yaml.YAMLError:
        pass
    return best


def _enter(parser: Any, event: Any, step: str | int) -> tuple[Any, Any] | None:
    """The mark of a child (its key's, in a mapping) and the event that begins its value."""
    if isinstance(event, MappingStartEvent):
        while not isinstance(key := parser.get_event(), MappingEndEvent):
            if not isinstance(key, ScalarEvent):
                _skip(parser, key)
                _skip(parser, parser.get_event())
                continue
            value = parser.get_event()
            if key.value == step:
                return key.start_mark, value
            _skip(parser, value)
    elif isinstance(event, SequenceStartEvent) and isinstance(step, int):
        index = 0
        while not isinstance(item := parser.get_event(), SequenceEndEvent):
            if index == step:
                return item.start_mark, item
            _skip(parser, item)
            index += 1
    return None


def _skip(parser: Any, event: Any) -> None:
    depth = 0
    while True:
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            depth -= 1
        if depth == 0:
            return
        event = parser.get_event()


def _event(parser: CParser) -> Any:
    return parser.get_event()


def _element_lines(text: bytes, key: str) -> list[int]:
    parser = CParser(text)
    for _ in range(2):
        parser.get_event()
    child = _enter(parser, parser.get_event(), key)
    lines: list[int] = []
    if child is None or not isinstance(child[1], SequenceStartEvent):
        return lines
    while not isinstance(item := _event(parser), SequenceEndEvent):
        lines.append(int(item.start_mark.line))
        _skip(parser, item)
    return lines
