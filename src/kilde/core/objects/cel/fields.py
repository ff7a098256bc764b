"""Fields and indices of values: `a.b`, `a[b]`, `a.?b` and `has(a.b)`."""

from typing import Any

from kilde.core.objects.cel.values import NOTHING, CelError, Optional, Uint, no_overload

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
    if isinstance(value, dict):
        raise CelError(f"no such key: {_shown(key)}")
    if isinstance(value, list):
        raise CelError(f"index out of bounds: {_shown(key)}")
    raise no_overload()


def find(value: Any, key: Any) -> tuple[Any, bool]:
    """The same, and whether it is there."""
    if isinstance(value, dict):
        if type(key) not in (str, int, bool, float, Uint):
            raise CelError(f"no such key: {_shown(key)}")
        found = value.get(key, _ABSENT)
        return (None, False) if found is _ABSENT else (found, True)
    if isinstance(value, list):
        if type(key) is float and key.is_integer():
            key = int(key)
        if not isinstance(key, int) or type(key) is bool:
            raise no_overload()
        return (value[key], True) if 0 <= key < len(value) else (None, False)
    raise no_overload()


def has(value: Any, name: str) -> bool:
    """Whether a field is there."""
    if type(value) is Optional:
        return value.present and has(value.value, name)
    return isinstance(value, dict) and value.get(name, _ABSENT) is not _ABSENT


def _shown(key: Any) -> str:
    return str(key).lower() if type(key) is bool else str(int(key)) if isinstance(key, int) else str(key)
