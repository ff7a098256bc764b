"""Replacements inside of text: a path may go on into a string that holds JSON or YAML."""

from collections.abc import Callable
from typing import Any

import msgspec

from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import text_of, to_json
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.kustomize.fields import as_text, retyped
from kilde.core.render.kustomize.hashing import go_json
from kilde.core.render.kustomize.paths import look_up

Finder = Callable[..., list[tuple[Any, Any]]]


def set_in_structured_text(body: Any, parts: list[str], value: Any, find: Finder, *, create: bool) -> bool:
    """Sets the field if the path runs through a string that holds it. False where it does not.

    The text is written anew: JSON compact or with two spaces as it was, YAML in blocks. Raises KildeError for a text
    that cannot be read.
    """
    for end in range(1, len(parts)):
        found = look_up(body, parts[:end])
        if found is not None and not isinstance(found[0], (dict, list)) and found[0] is not None:
            return _set(found, parts[end:], value, find, create=create)
    return False


def _set(found: tuple[Any, Any, Any], rest: list[str], value: Any, find: Finder, *, create: bool) -> bool:
    old, holder, key = found
    text = text_of(old)
    documents = read_documents(text.encode(), file="", mode="kustomize")
    if not documents:
        return False
    document = documents[0].value
    handles = find(document, rest, value if create else None)
    if not handles:
        return False
    for inner, name in handles:
        inner[name] = _put(inner[name], value)
    holder[key] = as_text(old, _written(document, text))
    return True


def _put(old: Any, value: Any) -> Any:
    if isinstance(old, (dict, list)) or isinstance(value, (dict, list)):
        return value
    return retyped(old, text_of(value))


def _written(document: Any, before: str) -> str:
    if before.lstrip()[:1] in ("{", "["):
        compact = go_json(to_json(document))
        if "\n" in before and "  " in before:
            return msgspec.json.format(compact, indent=2).decode()
        return compact.decode()
    return write_document(document, sort=False).strip()
