"""Reading live objects without trusting their shape: what is absent or of another type is the zero value, as in Go."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from kilde.core.basics.values import Object


def part(obj: Any, *path: str) -> Object:
    """The mapping at the path; empty where there is none."""
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj if isinstance(obj, dict) else {}


def text(obj: Object, key: str) -> str:
    found = obj.get(key)
    return found if isinstance(found, str) else ""


def number(obj: Object, key: str) -> int:
    return maybe_number(obj, key) or 0


def maybe_number(obj: Object, key: str) -> int | None:
    """A whole number; None where the field is absent (Go: a nil pointer)."""
    found = obj.get(key)
    if isinstance(found, float):
        return int(found) if isfinite(found) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def parts(obj: Object, key: str) -> list[Object]:
    """The mappings in a list."""
    found = obj.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def conditions(obj: Object) -> Iterator[Object]:
    """status.conditions in the order the object has them."""
    yield from parts(part(obj, "status"), "conditions")


def name(obj: Object) -> str:
    return text(part(obj, "metadata"), "name")


def is_observed(obj: Object) -> bool:
    """Whether the controller has seen the newest spec: generation is not ahead of observedGeneration."""
    return number(part(obj, "metadata"), "generation") <= number(part(obj, "status"), "observedGeneration")


def quoted(word: str) -> str:
    """A string as Go's %q prints it (object names hold nothing that needs an escape)."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
