"""How rules see the values of a schema: under names that CEL can write, numbers, times and lists as their types say."""

import binascii
from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.basics.reading import duration
from kilde.core.objects.cel.times import read_timestamp
from kilde.core.objects.cel.values import CelError, Duration, MapList, SetList
from kilde.kubeapi.resources.custom.declared import escaped
from kilde.kubeapi.resources.custom.definition import Schema

View = Callable[[Any], Any]


def view_of(schema: Schema) -> View | None:
    """Makes of a value what rules see; None where that is the value as it is."""
    kind, extra = schema.get("type"), schema.get("additionalProperties")
    if schema.get("x-kubernetes-int-or-string"):
        return None
    if kind == "number":
        return lambda value: float(value) if type(value) is int else value
    if kind == "integer":
        return None
    if kind == "string":
        read = _READ.get(str(schema.get("format")))
        return read and _tolerant(read)
    if kind == "array":
        return _of_list(schema)
    if isinstance(extra, Mapping):
        each = view_of(extra)
        return each and _of_map(each)
    return _of_object(schema)


def _of_map(each: View) -> View:
    return lambda value: {key: each(child) for key, child in value.items()} if isinstance(value, dict) else value


def _of_object(schema: Schema) -> View | None:
    views: dict[str, tuple[str, View | None]] = {}
    for name, child in (schema.get("properties") or {}).items():
        shown, view = escaped(name), view_of(child)
        if shown != name or view is not None:
            views[name] = (shown, view)
    if not views:
        return None

    def seen(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        out = {key: child for key, child in value.items() if key not in views}
        for name, (shown, view) in views.items():
            if name in value:
                out[shown] = view(value[name]) if view is not None else value[name]
        return out

    return seen


def _of_list(schema: Schema) -> View | None:
    items = schema.get("items")
    each = view_of(items) if isinstance(items, Mapping) else None
    make = _LISTS.get(str(schema.get("x-kubernetes-list-type")))
    keys = tuple(escaped(key) for key in schema.get("x-kubernetes-list-map-keys") or ())
    if each is None and make is None:
        return None

    def seen(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        found = (make or list)(value if each is None else [each(item) for item in value])
        if type(found) is MapList:
            found.keys = keys
        return found

    return seen


def _tolerant(read: View) -> View:
    """A text that is not what its format says stays a text."""

    def seen(value: Any) -> Any:
        try:
            return read(value) if isinstance(value, str) else value
        except (CelError, ValueError):
            return value

    return seen


def _duration(text: str) -> Any:
    seconds = duration(text)
    return text if seconds is None else Duration(round(seconds * 10**9))


_LISTS: dict[str, Callable[[Any], list[Any]]] = {"set": SetList, "map": MapList}
_READ: dict[str, View] = {
    "byte": lambda text: binascii.a2b_base64(text, strict_mode=True),
    "duration": _duration,
    "date": lambda text: read_timestamp(f"{text}T00:00:00Z"),
    "date-time": read_timestamp,
    "datetime": read_timestamp,
}
