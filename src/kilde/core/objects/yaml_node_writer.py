"""Writes YAML nodes the way go-yaml 3 does: two spaces, lists not indented, every scalar in the style it had."""

from typing import Any

from kilde.core.objects.yaml_nodes import Alias, Collection, Entry, NodeDocument, Scalar
from kilde.core.objects.yaml_scalars import Raw, is_null, resolve_12
from kilde.core.objects.yaml_writer import double_quoted, literal_allowed, literal_text, plain_allowed, single_quoted

_FLOW_INDICATORS = frozenset(",?[]{}:")


def write_nodes(document: NodeDocument) -> str:
    """The text of a document, ending in a newline."""
    writer = _Writer()
    writer.block(document.root, 0, first="")
    for line in document.foot:
        writer.out.append(line + "\n")
    return "".join(writer.out)


def scalar_kind(text: str) -> str:
    """The tag that a plain scalar of this text resolves to: str, int, float, bool, null or timestamp."""
    value = resolve_12(text)
    inner = value.value if isinstance(value, Raw) else value
    if is_null(value):
        return "null"
    if isinstance(inner, bool):
        return "bool"
    if isinstance(inner, str):
        return "timestamp" if isinstance(value, Raw) else "str"
    if isinstance(inner, int) and not (isinstance(value, Raw) and set(".eE") & set(text) and not text.startswith("0x")):
        return "int"
    return "float"


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []

    def block(self, node: Any, indent: int, first: str) -> None:
        """A node at the begin of a block."""
        if not _is_block(node):
            self.out.append(first + self.inline(node, indent) + "\n")
            return
        lead = first
        for entry in node.entries:
            self.comments(entry.comments.head, indent)
            self.out.append(lead if lead == first and not entry.comments.head else " " * indent)
            if node.mapping:
                self.pair(entry, indent)
            else:
                self.out.append("-")
                self.item(entry, indent)
            self.comments(entry.comments.foot, indent)
            lead = " " * indent

    def comments(self, lines: list[str], indent: int) -> None:
        for line in lines:
            self.out.append((" " * indent if line else "") + line + "\n")

    def pair(self, entry: Entry, indent: int) -> None:
        key = entry.key
        if not isinstance(key, Scalar) or "\n" in key.text or len(key.text) > 128:
            self.out.append("? " + self.inline(key, indent + 2) + "\n" + " " * indent)
        elif key.text == "<<" and not key.style:
            self.out.append("!!merge <<")
        else:
            self.out.append(self.inline(key, indent))
        self.out.append(":")
        value = entry.value
        if not _is_block(value):
            self.end_of_line(value, entry, indent + 2)
            return
        self.out.append(_prefix(value) + (f" {entry.comments.line}" if entry.comments.line else "") + "\n")
        self.block(
            value, indent + 2 if value.mapping else indent, first=" " * (indent + 2 if value.mapping else indent)
        )

    def item(self, entry: Entry, indent: int) -> None:
        value = entry.value
        if not _is_block(value):
            self.end_of_line(value, entry, indent + 2)
            return
        if value.anchor or value.tag or value.entries[0].comments.head:
            self.out.append(_prefix(value) + "\n")
            self.block(value, indent + 2, first=" " * (indent + 2))
        else:
            self.block(value, indent + 2, first=" ")

    def end_of_line(self, value: Any, entry: Entry, indent: int) -> None:
        text = self.inline(value, indent)
        comment = f" {entry.comments.line}" if entry.comments.line else ""
        if "\n" in text and isinstance(value, Scalar) and value.style in ("|", ">"):
            head, _, body = text.partition("\n")
            self.out.append(f" {head}{comment}\n{body}\n")
        else:
            self.out.append((f" {text}" if text else "") + comment + "\n")

    def inline(self, node: Any, indent: int, *, flow: bool = False) -> str:
        """A scalar, an alias or a flow collection."""
        if isinstance(node, Alias):
            return f"*{node.anchor}"
        if isinstance(node, Scalar):
            prefix = _prefix(node).lstrip()
            return " ".join(part for part in (prefix, _scalar(node, indent, flow=flow)) if part)
        prefix = _prefix(node).lstrip()
        if node.mapping:
            pairs = (
                f"{self.inline(entry.key, indent, flow=True)}: {self.inline(entry.value, indent, flow=True)}".rstrip(
                    " "
                )
                for entry in node.entries
            )
            text = "{" + ", ".join(pairs) + "}"
        else:
            text = "[" + ", ".join(self.inline(entry.value, indent, flow=True) for entry in node.entries) + "]"
        return f"{prefix} {text}" if prefix else text


def _is_block(node: Any) -> bool:
    return isinstance(node, Collection) and bool(node.entries) and not node.flow


def _prefix(node: Any) -> str:
    return (f" &{node.anchor}" if node.anchor else "") + (f" {node.tag}" if node.tag else "")


def _scalar(node: Scalar, indent: int, *, flow: bool) -> str:
    text, style = node.text, node.style
    if style == "'":
        return single_quoted(text) if "\n" not in text else double_quoted(text)
    if style == '"':
        return double_quoted(text)
    if style in ("|", ">") and not flow:
        if not text or not literal_allowed(text):
            return double_quoted(text)
        literal = literal_text(text, indent)
        return literal if style == "|" else ">" + literal[1:].replace("\n", "\n\n").replace("\n\n", "\n", 1)
    return _plain(node, indent, flow=flow)


def _plain(node: Scalar, indent: int, *, flow: bool) -> str:
    text = node.text
    if not text:
        return "" if not node.tag else '""'
    if "\n" in text:
        return literal_text(text, indent) if literal_allowed(text) and not flow else double_quoted(text)
    allowed = plain_allowed(text) and not (flow and _FLOW_INDICATORS & set(text))
    return text if allowed else single_quoted(text)
