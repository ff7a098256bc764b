"""Replacements inside of text: a path may go on into a string that holds JSON or YAML."""

import json
from collections.abc import Callable
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_node_writer import scalar_kind, write_nodes
from kilde.core.objects.yaml_nodes import Alias, Collection, Entry, NodeDocument, Scalar, parse_nodes
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import Quoted, is_null, text_of, to_json
from kilde.core.objects.yaml_writer import needs_quotes
from kilde.core.render.kustomize.fields import CREATED, retyped
from kilde.core.render.kustomize.hashing import go_json
from kilde.core.render.kustomize.paths import look_up
from kilde.core.render.kustomize.resource import as_text

Finder = Callable[..., list[tuple[Any, Any]]]


def set_in_structured_text(body: Any, parts: list[str], value: Any, find: Finder, *, create: bool) -> bool:
    """Sets the field if the path runs through a string that holds it. False where it does not.

    The text is written anew: JSON compact or with two spaces as it was, YAML in its own style with its comments. Raises
    KildeError for a text that cannot be read.
    """
    for end in range(1, len(parts)):
        found = look_up(body, parts[:end])
        if found is not None and not isinstance(found[0], (dict, list)) and found[0] is not None:
            return _set(found, parts[end:], value, find, create=create)
    return False


def _set(found: tuple[Any, Any, Any], rest: list[str], value: Any, find: Finder, *, create: bool) -> bool:
    old, holder, key = found
    text = text_of(old)
    documents = read_documents(text.encode(), file="", mode="kustomize", duplicates="last")
    if not documents:
        return False
    document = documents[0].value
    handles = find(document, rest, value if create else None)
    if not handles:
        return False
    if text.lstrip()[:1] in ("{", "["):
        for inner, name in handles:
            inner[name] = _put(inner[name], value)
        changed = _json(document, text)
    else:
        changed = _yaml(text, document, handles, value)
    holder[key] = as_text(old, changed)
    return True


def _put(old: Any, value: Any) -> Any:
    if isinstance(old, (dict, list)) or isinstance(value, (dict, list)):
        return value
    return retyped(old, text_of(value))


def _json(document: Any, before: str) -> str:
    compact = go_json(to_json(document))
    if "\n" in before and "  " in before:
        return json.dumps(json.loads(compact), indent=2, ensure_ascii=False)
    return compact.decode()


def _yaml(text: str, document: Any, handles: list[tuple[Any, Any]], value: Any) -> str:
    nodes = parse_nodes(text)
    if nodes is None:
        raise RenderFailed("the text holds no YAML")
    wanted = {(id(holder), name) for holder, name in handles}
    _Changer(wanted, value).visit(nodes, document)
    return write_nodes(nodes).strip()


class _Changer:
    """Walks nodes and values side by side: adds what `find` created, and puts the value where it was asked for."""

    def __init__(self, wanted: set[tuple[int, Any]], value: Any) -> None:
        self.wanted, self.value = wanted, value

    def visit(self, nodes: NodeDocument, document: Any) -> None:
        self.walk(nodes.root, document)

    def walk(self, node: Any, value: Any) -> None:
        if not isinstance(node, Collection):
            return
        if node.mapping and isinstance(value, dict):
            for key, item in value.items():
                entry = node.get(key)
                if entry is None:
                    if (id(value), key) in self.wanted or isinstance(item, (dict, list)):
                        entry = Entry(_key(key), _node(item))
                        node.entries.append(entry)
                    else:
                        continue  # came from a merge key
                self.change(entry, value, key, item)
        elif isinstance(value, list):
            while len(node.entries) < len(value):
                node.entries.append(Entry(None, _node(value[len(node.entries)])))
            for index, item in enumerate(value):
                self.change(node.entries[index], value, index, item)

    def change(self, entry: Entry, holder: Any, name: Any, item: Any) -> None:
        if (id(holder), name) not in self.wanted:
            self.walk(entry.value, item)
            return
        if isinstance(entry.value, Scalar) and not isinstance(self.value, (dict, list)):
            _set_scalar(entry.value, text_of(self.value), created=item is CREATED)
        elif not isinstance(entry.value, Alias):
            entry.value = _node(self.value)


def _set_scalar(node: Scalar, text: str, *, created: bool) -> None:
    """The scalar with another text: its quotes and its type stay, the type as a tag where the text does not show it."""
    if not node.style and not node.tag and not created:
        kind, new = scalar_kind(node.text), scalar_kind(text)
        if kind == "str" and (new != "str" or text == ""):
            node.style = '"'
        elif kind != new and not (kind == "float" and new == "int"):
            node.tag = f"!!{kind}"
    node.text = text


def _key(key: str) -> Scalar:
    return Scalar(key, '"' if needs_quotes(key) else "")


def _node(value: Any) -> Any:
    if isinstance(value, dict):
        return Collection(True, [Entry(_key(key), _node(item)) for key, item in value.items()], flow=not value)
    if isinstance(value, list):
        return Collection(False, [Entry(None, _node(item)) for item in value], flow=not value)
    if value is CREATED or is_null(value):
        return Scalar("" if value is CREATED else text_of(value))
    return Scalar(text_of(value), '"' if isinstance(value, Quoted) and needs_quotes(value) else "")
