"""Moves the entries of a deprecated field, as they are written, to the field that took its place."""

from kilde.core.objects.yaml_edit import dash_of
from kilde.core.objects.yaml_spans import Child, Node, Spelling, line_end, line_start, parse_spans
from kilde.core.render.kustomize.edit.fields import Fields
from kilde.core.render.kustomize.edit.fix import PLACES, IsFile


def move_field(text: str, name: str, fields: Fields, spelling: Spelling, is_file: IsFile) -> str | None:
    """The text with the field moved; None where it is not written as a block and has to be written anew."""
    if name not in PLACES:
        return None
    if name == "patchesStrategicMerge":
        text = _with_keys(text, fields[name], spelling, is_file)
    root = parse_spans(text, spelling).root
    if root is None or not root.is_block:
        return None
    old, new = _child(root, name), _child(root, PLACES[name])
    if old is None or (new is not None and not _is_list(new.value)):
        return None
    if name == "commonLabels":
        column = new.value.column if new is not None else dash_of(root)
        lines = _as_label_entry(text, old, column)
    elif _is_list(old.value):
        column = old.value.column if new is None else new.value.column
        lines = _shifted(text[_top(text, old) : line_end(text, old.end)], column - old.value.column)
    else:
        return None
    begin, end = line_start(text, old.start), line_end(text, old.end)
    if new is None:
        return text[:begin] + _key_line(text, old, PLACES[name]) + lines + text[end:]
    at = line_end(text, new.end)
    if at <= begin:
        return text[:at] + lines + text[at:begin] + text[end:]
    return text[:begin] + text[end:at] + lines + text[at:]


def _key_line(text: str, child: Child, name: str) -> str:
    """The line of a key with another name, its comment kept."""
    if child.value.is_block:
        return name + text[child.key_end : _top(text, child)]
    return f"{name}:\n"


def _as_label_entry(text: str, old: Child, column: int) -> str:
    """A map of labels as an entry of `labels`."""
    pad = " " * column
    head = f"{pad}- includeSelectors: true\n{pad}  pairs:"
    if not old.value.is_block:
        return head + text[old.key_end :][1 : line_end(text, old.end) - old.key_end]
    lines = text[_top(text, old) : line_end(text, old.end)]
    return f"{head}\n{_shifted(lines, column + 4 - old.value.column)}"


def _with_keys(text: str, entries: list[str], spelling: Spelling, is_file: IsFile) -> str:
    """The text with `path: ` or `patch: ` before each element of `patchesStrategicMerge`."""
    root = parse_spans(text, spelling).root
    old = _child(root, "patchesStrategicMerge") if root is not None and root.is_block else None
    if old is None or not _is_list(old.value) or len(old.value.children) != len(entries):
        return text
    for child, entry in reversed(list(zip(old.value.children, entries, strict=True))):
        value = child.value
        key = "path: " if is_file(entry) else "patch: "
        first, newline, rest = text[value.start : value.end].partition("\n")
        text = text[: value.start] + key + first + newline + _shifted(rest, 2) + text[value.end :]
    return text


def _shifted(lines: str, by: int) -> str:
    """Lines further in (`by` > 0) or out; empty ones as they are."""
    out = []
    for line in lines.splitlines(keepends=True):
        if not line.strip():
            out.append(line)
        elif by >= 0:
            out.append(" " * by + line)
        else:
            out.append(line[min(-by, len(line) - len(line.lstrip(" "))) :])
    return "".join(out)


def _top(text: str, child: Child) -> int:
    """Where the first line below a key begins."""
    return line_end(text, child.key_end)


def _child(root: Node | None, name: str) -> Child | None:
    found = [child for child in root.children if child.name == name] if root is not None else []
    return found[0] if len(found) == 1 else None


def _is_list(node: Node) -> bool:
    return node.kind == "sequence" and node.is_block and not (node.named or node.tagged)
