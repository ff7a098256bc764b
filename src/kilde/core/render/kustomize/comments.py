"""Comments that are schemas: `list: # {"x-kubernetes-patch-merge-key": "name", …}` says how a list merges, to kustomize and so to us.

A comment counts that stands alone above a field, behind its name, or behind its value in flow style, and is a JSON object. It goes
before what the kind's own type says. Comments further in than a list's elements are not looked at.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from yaml._yaml import CParser
from yaml.events import MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from kilde.core.render.kustomize.openapi import Schema, TypeNode

_SOME = re.compile(rb"#[ \t]*\{[^\n]*\}[ \t\r]*$", re.MULTILINE)
_BEHIND = re.compile(r":?[ \t]+#+(.*)")
_ABOVE = re.compile(r"[ \t]*#+(.*)")


class Comments(NamedTuple):
    """What the comments of one field say (None: nothing), and those of the fields below it."""

    schema: Mapping[str, Any] | None
    fields: Mapping[str, "Comments"]

    def over(self, other: "Comments | None") -> "Comments":
        """These, and where they say nothing the other ones."""
        if other is None:
            return self
        fields = {**other.fields, **{name: found.over(other.fields.get(name)) for name, found in self.fields.items()}}
        return Comments(self.schema or other.schema, fields)


def may_have_comments(text: bytes) -> bool:
    """Whether there is something that looks like one."""
    return b"#" in text and _SOME.search(text) is not None


def read_comments(text: bytes) -> Comments | None:
    """The schemas in the comments of one document, which is known to be YAML; None if there are none."""
    if not may_have_comments(text):
        return None
    found = _Reader(text).document()
    return found if found is not None and found.fields else None


_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class _Reader:
    def __init__(self, text: bytes) -> None:
        self.lines = _BREAK.split(text.decode("utf-8", "replace"))  # as libyaml counts lines
        self.next: Callable[[], Any] = CParser(text).get_event
        self.block_end = 0  # the line behind the last text block: what looks like a comment in it is none

    def document(self) -> Comments | None:
        self.next()
        self.next()
        return self.value(self.next())[0]

    def value(self, event: Any) -> tuple[Comments | None, Any]:
        """What is below a value, and the event that it ends with."""
        if type(event) is MappingStartEvent:
            fields: dict[str, Comments] = {}
            while type(key := self.next()) is not MappingEndEvent:
                name, found = self.field(key)
                if found is not None:
                    fields[name] = found
            return (Comments(None, fields) if fields else None), key
        if type(event) is SequenceStartEvent:
            while type(item := self.next()) is not SequenceEndEvent:
                self.value(item)
            return None, item
        if type(event) is ScalarEvent and event.style in ("|", ">"):
            assert event.end_mark is not None
            self.block_end = event.end_mark.line
        return None, event

    def field(self, key: Any) -> tuple[str, Comments | None]:
        self.value(key)  # a key may be a collection
        begin: Any = self.next()
        below, end = self.value(begin)
        line, key_end = key.start_mark.line, key.end_mark
        if type(key) is not ScalarEvent or type(begin) not in (MappingStartEvent, SequenceStartEvent):
            return "", None
        schema = self.behind(end.end_mark)[1] if begin.flow_style else None
        if schema is None:
            said, schema = (False, None) if begin.flow_style else self.behind(key_end)
            schema = schema if said else self.above(line)
        if schema is None:
            return key.value, below
        return key.value, Comments(schema, below.fields if below else {})

    def behind(self, mark: Any) -> tuple[bool, Mapping[str, Any] | None]:
        """Whether there is a comment on the rest of the line, and the schema that it is."""
        match = _BEHIND.fullmatch(self.lines[mark.line][mark.column :].rstrip("\r"))
        return match is not None, _schema(match[1]) if match else None

    def above(self, line: int) -> Mapping[str, Any] | None:
        """The schema that a comment is which stands alone above a line."""
        if line - 1 < self.block_end:
            return None
        above = [_ABOVE.fullmatch(self.lines[at].rstrip("\r")) if at >= 0 else None for at in (line - 1, line - 2)]
        return _schema(above[0][1]) if above[0] and not above[1] else None


def _schema(text: str) -> Mapping[str, Any] | None:
    import json  # late: hardly any file has such comments

    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found else None


class CommentedNode:
    """A TypeNode: what the type says, unless a comment says it."""

    __slots__ = ("_comments", "_node", "_schema")

    def __init__(self, node: TypeNode | None, comments: Comments, schema: Schema) -> None:
        self._node = schema.of_comment(comments.schema) if comments.schema else node
        self._comments, self._schema = comments, schema

    @property
    def merge_keys(self) -> tuple[str, ...] | None:
        return self._node.merge_keys if self._node else None

    def field(self, name: str) -> TypeNode | None:
        below = self._node.field(name) if self._node else None
        comments = self._comments.fields.get(name)
        return CommentedNode(below, comments, self._schema) if comments else below

    def element(self) -> TypeNode | None:
        return self._node.element() if self._node else None
