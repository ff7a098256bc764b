"""Dotted paths of replacements and variables: `spec.containers.[name=app].image`, `data.a\\.b`, `ports.0`, `*`."""

import re
from typing import Any

from kilde.core.objects.yaml_scalars import is_null, text_of
from kilde.core.render.kustomize.fields import split_path

_NUMBER = re.compile(r"[0-9]+")


def smart_path(path: str, delimiter: str = ".") -> list[str]:
    """Cut at the delimiter, but not inside of brackets; `[a.b]` without `=` is the key a.b."""
    parts = split_path(path, delimiter)
    out: list[str] = []
    at = 0
    while at < len(parts):
        part = parts[at]
        if part.startswith("[") and not part.endswith("]"):
            bracketed = [part]
            while at + 1 < len(parts):
                at += 1
                bracketed.append(parts[at])
                if parts[at].endswith("]"):
                    break
            joined = delimiter.join(bracketed)
            part = joined if "=" in joined else joined.strip("[]")
        out.append(part)
        at += 1
    return out


def with_indices(parts: list[str]) -> list[str]:
    """`ports[0]` as two parts."""
    out: list[str] = []
    for part in parts:
        name, bracket, rest = part.partition("[")
        if bracket and rest.endswith("]") and _NUMBER.fullmatch(rest[:-1]) and name:
            out += [name, rest[:-1]]
        else:
            out.append(part)
    return out


def is_index(part: str) -> bool:
    """Whether a part of a path is a position in a list."""
    return _NUMBER.fullmatch(part) is not None


def list_match(part: str) -> tuple[str, str] | None:
    """`[name=app]` → ("name", "app"); None for any other part."""
    if not (part.startswith("[") and part.endswith("]") and "=" in part):
        return None
    name, _, value = part[1:-1].partition("=")
    return name, value


def look_up(value: Any, parts: list[str]) -> tuple[Any, Any, Any] | None:
    """The value at a path of exact steps, with what holds it and under which key; None if it is not there."""
    holder: Any = None
    key: Any = None
    for part in parts:
        found = _step(value, part)
        if found is None:
            return None
        holder, key = found
        value = holder[key]
    return value, holder, key


def _step(value: Any, part: str) -> tuple[Any, Any] | None:
    matched = list_match(part)
    if isinstance(value, list):
        if matched is not None:
            name, wanted = matched
            for index, item in enumerate(value):
                if _element_matches(item, name, wanted):
                    return value, index
            return None
        if part == "-" and value:
            return value, len(value) - 1
        if is_index(part) and int(part) < len(value):
            return value, int(part)
        return None
    if isinstance(value, dict) and part in value:
        return value, part
    return None


def _element_matches(item: Any, name: str, wanted: str) -> bool:
    if not name:
        return not isinstance(item, (dict, list)) and text_of(item) == wanted
    if not isinstance(item, dict) or name not in item:
        return False
    found = item[name]
    return not isinstance(found, (dict, list)) and not is_null(found) and text_of(found) == wanted
