"""BlockEditor: rebuilds the text of one YAML collection, entry by entry, from the text of the entries that stay."""

from collections.abc import Iterable
from typing import Any

from kilde.core.objects.yaml_changes import ABSENT, Change, changes_of_mapping, changes_of_sequence
from kilde.core.objects.yaml_comments import loose_comments
from kilde.core.objects.yaml_flow import flow_entry, flow_text
from kilde.core.objects.yaml_spans import Child, Node, line_end, line_start
from kilde.core.objects.yaml_writer import INDENT, double_quoted, inline, single_quoted, write_entry, write_item


class BlockEditor:
    """Works on one text. `dash`: how much further in than its key a new list is written."""

    def __init__(self, text: str, dash: int) -> None:
        self.text, self.dash = text, dash

    def block(self, node: Node, top: int, old: Any, new: Any, *, keep_comments: bool = False) -> str:
        """The new text from `top`, where the collection's first line begins, to the end of its last.

        A collection that begins on the line of a dash has its first entry at `top`. `keep_comments`: also those between
        the entries of an entry that goes.
        """
        inline_first = node.children[0].start == top
        lines = _Lines(" " * node.column, waiting=inline_first)
        cursor = top
        for change in _changes(node, old, new):
            if change.at is None:
                lines.put(self.added(node, change))
                continue
            child = node.children[change.at]
            begin = child.start if child.start == top else line_start(self.text, child.start)
            lines.between(self.text[cursor:begin])
            cursor = line_end(self.text, child.end)
            if change.new is not ABSENT:
                lines.put(self.entry(node, child, change.old, change.new))
            elif keep_comments:
                for comment in loose_comments(self.text, child):
                    lines.put(f"{comment}\n")
        return lines.text()

    def added(self, node: Node, change: Change) -> str:
        if node.kind == "mapping":
            return write_entry(change.name, change.new, indent=node.column, dash=self.dash)
        return write_item(change.new, indent=node.column, dash=self.dash)

    def entry(self, node: Node, child: Child, old: Any, new: Any) -> str:
        """One entry from its key or dash to the end of its line."""
        end = line_end(self.text, child.end)
        value = child.value
        if old == new:
            return self.text[child.start : end]
        if value.kind == "scalar" and _is_scalar(new) and _is_scalar(old):
            return self.with_scalar(node, child, old, new)
        if _is_deep(value, old, new):
            if value.flow:
                return self.text[child.start : value.start] + self.flow(value, old, new) + self.text[value.end : end]
            first = value.children[0].start
            after = value.body if value.tagged or value.named else max(child.key_end, child.start + 1)
            top = first if line_start(self.text, first) <= child.start else line_end(self.text, after)
            return self.text[child.start : top] + self.block(value, top, old, new)
        return self.anew(node, child, new)

    def with_scalar(self, node: Node, child: Child, old: Any, new: Any) -> str:
        """The entry with another scalar, in the quotes of the old one where a person chose them."""
        value, end = child.value, line_end(self.text, child.end)
        start = value.start if value.tagged else value.body
        head = self.text[child.start : start]
        if not head.endswith((" ", "\n")):
            head += " "
        column = start - line_start(self.text, child.start)
        written = self.scalar(value, old, new, column, node.column + INDENT)
        tail = self.text[value.end : end]
        return head + written + (tail or "\n")

    def scalar(self, value: Node, old: Any, new: Any, column: int, indent: int) -> str:
        before = self.text[value.body : value.end]
        is_chosen = value.style in ("'", '"') and before != inline(old, column, indent)
        if is_chosen and isinstance(new, str):
            return single_quoted(new) if value.style == "'" else double_quoted(new)
        return inline(new, column, indent)

    def anew(self, node: Node, child: Child, new: Any) -> str:
        """The entry with a value of another kind, the comment on its line kept."""
        value = child.value
        if node.kind == "sequence":
            return write_item(new, indent=node.column, dash=self.dash)
        written = write_entry(child.name, new, indent=node.column, dash=self.dash)
        first, newline, rest = written.partition("\n")
        at = value.end if value.kind in ("scalar", "alias") or value.flow else child.key_end + 1
        comment = self.text[at : line_end(self.text, at)].strip() if self.text[at - 1] != "\n" else ""
        return first + (f"  {comment}" if comment.startswith("#") else "") + newline + rest

    def flow(self, node: Node, old: Any, new: Any, *, as_json: bool = False) -> str:
        """A flow collection, brackets included; what comes into one whose keys are in double quotes is JSON."""
        text = self.text
        starts = [child.start for child in node.children]
        ends = [child.end for child in node.children]
        as_json = as_json or (node.kind == "mapping" and text[starts[0] : starts[0] + 1] == '"' if starts else False)
        gaps = [text[end:start] for end, start in zip(ends, [*starts[1:], node.end - 1], strict=True)]
        last = gaps[-1] if gaps else ""
        parts: list[tuple[str, str]] = []
        for change in _changes(node, old, new):
            if change.at is None:
                parts.append((_flow_added(node, change, as_json=as_json), ", "))
            elif change.new is not ABSENT:
                child = node.children[change.at]
                parts.append((self.flow_element(child, change, as_json=as_json), gaps[change.at]))
            elif "#" in gaps[change.at] and parts:
                parts.append(("", gaps[change.at].replace(",", "", 1)))
        open_end = starts[0] if starts else node.body + 1
        return text[node.start : open_end] + _joined(parts, last) + text[node.end - 1 : node.end]

    def flow_element(self, child: Child, change: Change, *, as_json: bool) -> str:
        text, value = self.text, child.value
        if change.old == change.new:
            return text[child.start : child.end]
        head = text[child.start : value.start] if child.key_end >= 0 else ""
        if _is_deep(value, change.old, change.new):
            return head + self.flow(value, change.old, change.new, as_json=as_json)
        is_chosen = value.style in ("'", '"') and text[value.body : value.end] != flow_text(change.old)
        if is_chosen and isinstance(change.new, str):
            return head + (single_quoted(change.new) if value.style == "'" else double_quoted(change.new))
        if head.endswith(":"):
            head += " "
        return head + flow_text(change.new, as_json=as_json)


class _Lines:
    """Gathers lines; while `waiting`, the next one goes on behind a dash, without its indent."""

    def __init__(self, pad: str, *, waiting: bool) -> None:
        self.pad, self.waiting = pad, waiting
        self.out: list[str] = []

    def put(self, lines: str) -> None:
        self.out.append(lines if self.waiting else self.pad + lines)
        self.waiting = False

    def between(self, lines: str) -> None:
        """Comments and empty lines, as they are."""
        if self.waiting:
            lines = lines.lstrip()
        if lines:
            self.out.append(lines)
            self.waiting = False

    def text(self) -> str:
        return "".join(self.out)


def _changes(node: Node, old: Any, new: Any) -> Iterable[Change]:
    if node.kind == "mapping":
        return changes_of_mapping([child.name for child in node.children], old, new)
    return changes_of_sequence(old, new)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _is_deep(node: Node, old: Any, new: Any) -> bool:
    """Whether a collection can be changed entry by entry."""
    if not (old and new and node.children and node.kind in ("mapping", "sequence")):
        return False
    return isinstance(old, dict) is isinstance(new, dict) is (node.kind == "mapping") and not _is_scalar(new)


def _flow_added(node: Node, change: Change, *, as_json: bool) -> str:
    if node.kind == "mapping":
        return flow_entry(change.name, change.new, as_json=as_json)
    return flow_text(change.new, as_json=as_json)


def _joined(parts: list[tuple[str, str]], last: str) -> str:
    """Elements with what is between them. A gap in front of the bracket is `last`, unless there is a comment in it."""
    out: list[str] = []
    for place, (element, gap) in enumerate(parts):
        if place == len(parts) - 1:
            out.append(element + (gap if "#" in gap else last))
        elif element and gap == last:
            out.append(element + ", ")  # it was the last one; what is behind it stays in front of the bracket
        else:
            out.append(element + gap)
    return "".join(out)
