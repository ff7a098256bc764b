"""Setting a default where nobody said anything."""

from kilde.core.basics.values import Json, Object


def fill(value: Object, key: str, default: Json) -> None:
    """Sets a field that is absent, null (a nil pointer that Go writes) or the empty string."""
    if value.get(key) in (None, ""):
        value[key] = default
