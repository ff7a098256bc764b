"""Edits the text of a YAML file so that it says something else: what says the same stays as it is, byte for byte.

Comments are never lost, but for those inside of an entry that goes. What comes anew is written as kustomize writes it,
its lists as far in as the file's own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput, InvalidYaml
from kilde.core.objects.yaml_blocks import BlockEditor
from kilde.core.objects.yaml_comments import comments_between
from kilde.core.objects.yaml_spans import Child, Node, SpannedDocument, Spelling, line_end, line_start, parse_spans
from kilde.core.objects.yaml_writer import write_entry

Read = Callable[[str], dict[str, Any]]
_BOM = "\ufeff"


def rewrite(text: str, new: Mapping[str, Any], *, read: Read, spelling: Spelling) -> str:
    """The text changed so that `read` gives `new` for it. New top-level fields come last, in the order they have in `new`.

    Raises InvalidInput for a text that cannot be made to say it.
    """
    old = read(text)
    if old == new:
        return text
    plain, put_back = in_lines(text)
    is_ended = not plain or plain.endswith("\n")
    edited = _in_place_or_anew(plain if is_ended else plain + "\n", old, new, read, spelling)
    if not is_ended:
        unended = edited.removesuffix("\n")
        edited = unended if read(unended) == new else edited  # the end of the last line may have a meaning
    return put_back(edited)


def in_lines(text: str) -> tuple[str, Callable[[str], str]]:
    """The text without a byte order mark and, if all its lines end in them, carriage returns; and what puts those back."""
    mark = _BOM if text.startswith(_BOM) else ""
    plain = text.removeprefix(mark)
    end = "\r\n" if "\r\n" in plain and plain.count("\r\n") == plain.count("\n") else "\n"
    return plain.replace(end, "\n"), lambda edited: mark + edited.replace("\n", end)


def _in_place_or_anew(text: str, old: dict[str, Any], new: Mapping[str, Any], read: Read, spelling: Spelling) -> str:
    edited = _in_place(text, old, new, spelling)
    wrong = _different(edited, new, read)
    if wrong == set():
        return edited
    # an anchor stands in the way: its field and those that use it are written without
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    edited = _anew(text, new, spelling, changed | (wrong or set()))
    if _different(edited, new, read) != set():
        raise InvalidInput("cannot be edited without changing what else it says", hint="write it without anchors")
    return edited


def _different(text: str, new: Mapping[str, Any], read: Read) -> set[str] | None:
    """The fields that a text does not say as wanted; None if it cannot be read at all."""
    try:
        found = read(text)
    except InvalidInput:
        return None
    return {name for name in {*found, *new} if found.get(name) != new.get(name)}


def _in_place(text: str, old: Mapping[str, Any], new: Mapping[str, Any], spelling: Spelling) -> str:
    document = parse_spans(text, spelling)
    root = document.root
    editor = BlockEditor(text, dash_of(root))
    if root is None:
        return _appended(text, document, {name: value for name, value in new.items() if name not in old}, editor)
    if root.kind != "mapping":
        raise InvalidYaml("is not a map")
    if root.flow:
        return text[: root.start] + editor.flow(root, old, new) + text[root.end :]
    kept = {name: value for name, value in new.items() if name in old or any(c.name == name for c in root.children)}
    begin, end = line_start(text, root.children[0].start), line_end(text, root.end)
    body = editor.block(root, begin, old, kept, keep_comments=True)
    edited = text[:begin] + body + text[end:]
    added = {name: value for name, value in new.items() if name not in kept}
    if not added:
        return edited
    moved = SpannedDocument(root, document.end + len(edited) - len(text))
    return _appended(edited, moved, added, editor, behind=begin + len(body))


def _appended(
    text: str, document: SpannedDocument, added: Mapping[str, Any], editor: BlockEditor, behind: int = 0
) -> str:
    """Fields at the end of the document, before its last empty lines."""
    rest = text[behind : document.end]
    at = behind + len(rest.rstrip())
    at = line_end(text, at) if at > behind else behind
    indent = document.root.column if document.root is not None else 0
    lines = "".join(
        " " * indent + write_entry(name, value, indent=indent, dash=editor.dash) for name, value in added.items()
    )
    return text[:at] + lines + text[at:]


def _anew(text: str, new: Mapping[str, Any], spelling: Spelling, names: set[str]) -> str:
    """The text with some fields, and all that have to do with anchors, written anew; their comments stand above them."""
    document = parse_spans(text, spelling)
    root = document.root
    if root is None or root.flow:
        raise InvalidInput("cannot be edited the way it is written", hint="write it as a block, without anchors")
    editor = BlockEditor(text, dash_of(root))
    out: list[str] = []
    cursor = line_start(text, root.children[0].start)
    out.append(text[:cursor])
    last = {child.name: child for child in root.children}
    for child in root.children:
        begin, end = line_start(text, child.start), line_end(text, child.end)
        out.append(text[cursor:begin])
        cursor = end
        if child.name not in names and not _has_anchors(child):
            out.append(text[begin:end])
            continue
        pad = " " * root.column
        out += [f"{pad}{comment}\n" for comment in comments_between(text, begin, end, child)]
        if child.name in new and last[child.name] is child:
            out.append(pad + write_entry(child.name, new[child.name], indent=root.column, dash=editor.dash))
    edited = "".join(out)
    added = {name: value for name, value in new.items() if name not in last}
    moved = SpannedDocument(root, document.end + len(edited) + len(text[cursor:]) - len(text))
    return _appended(edited + text[cursor:], moved, added, editor, behind=len(edited))


def _has_anchors(child: Child) -> bool:
    node = child.value
    return node.kind == "alias" or node.named or child.name == "<<" or any(map(_has_anchors, node.children))


def dash_of(root: Node | None) -> int:
    """How far in from its key the file's first list is; 0 where it has none."""
    found = _first_list(root) if root is not None else None
    return found if found is not None else 0


def _first_list(node: Node) -> int | None:
    if not node.is_block:
        return None
    for child in node.children:
        value = child.value
        if node.kind == "mapping" and value.kind == "sequence" and value.is_block:
            return max(0, value.column - node.column)
        found = _first_list(value)
        if found is not None:
            return found
    return None
