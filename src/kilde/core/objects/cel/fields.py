"""Fields and indices of values: `a.b`, `a[b]`, `a.?b` and `has(a.b)`."""

from typing import Any

from kilde.core.objects.cel.values import NOTHING, CelError, Optional, Uint, kind

_ABSENT = object()


def qualify(value: Any, key: Any) -> Any:
    """What is at a key. CelError. An optional value gives an optional one."""
    if type(value) is Optional:
        if not value.present:
            return NOTHING
        found, there = find(value.value, key)
        return Optional(found, True) if there else NOTHING
    found, there = find(value, key)
    if there:
        return found
    if not isinstance(value, list):
        raise CelError(f"no such key: {_shown(key)}")
    if type(key) not in (int, Uint, float):
        raise CelError(f"unsupported index type '{kind(key)}' in list")
    raise CelError(f"index out of bounds: {_shown(key)}")


def find(value: Any, key: Any) -> tuple[Any, bool]:
    """The same, and whether it is there."""
    if isinstance(value, dict):
        if type(key) not in (str, int, bool, float, Uint):
            return None, False
        found = value.get(key, _ABSENT)
        return (None, False) if found is _ABSENT else (found, True)
    if isinstance(value, list):
        if type(key) is float and key.is_integer():
            key = int(key)
        if isinstance(key, int) and type(key) is not bool and 0 <= key < len(value):
            return value[key], True
    return None, False


def has(value: Any, name: str) -> bool:
    """Whether a field is there."""
    if type(value) is Optional:
        return value.present and has(value.value, name)
    return isinstance(value, dict) and value.get(name, _ABSENT) is not _ABSENT


def _shown(key: Any) -> str:
    return str(key).lower() if type(key) is bool else str(int(key)) if isinstance(key, int) else str(key)
