"""Setting a default where nobody said anything."""

from kilde.core.basics.values import Json, Object


def fill(value: Object, key: str, default: Json) -> None:
    """Sets a field that is absent or null (a nil pointer that Go writes). An empty string of a pointer was set by somebody."""
    if value.get(key) is None:
        value[key] = default
