"""JSON patch (RFC 6902), as the API server does it.

Where it differs from the RFC: `replace` of an absent map key adds it, `copy` of one gives null, a missing value is null,
negative list positions count from the end, `test` against null holds where nothing is, and the document as a whole
cannot be added, removed, moved or copied. What does not apply is told in the words of its library (evanphx/json-patch).
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from kilde.core.basics.values import Json, Object, canonical
from kilde.core.objects.patches.errors import BadPatch, FailedTest, PatchRejected, PatchTooLarge

MAX_OPERATIONS = 10_000

_POSITION = re.compile(r"[-+]?[0-9]{1,18}")
_MISSING, _NO_INDEX = "missing value", "invalid index referenced"


def json_patch(document: Object, patch: Json) -> Json:
    """The document after all operations; the given one is not changed.

    BadPatch if it is no list of operations, PatchTooLarge beyond 10,000, PatchRejected if one of them does not apply, FailedTest if
    that is a test.
    """
    if not isinstance(patch, list):
        raise BadPatch(f"json: cannot unmarshal {_json_kind(patch)} into Go value of type []handlers.jsonPatchOp")
    if len(patch) > MAX_OPERATIONS:
        raise PatchTooLarge(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(patch)}",
        )
    for operation in patch:
        if not isinstance(operation, dict):
            raise BadPatch(f"json: cannot unmarshal {_json_kind(operation)} into Go value of type handlers.jsonPatchOp")
    holder: Json = document
    try:
        for operation in patch:
            holder = _applied(holder, operation)
    except RecursionError as error:
        raise PatchRejected("the patch reaches too deep") from error
    return holder


def _json_kind(value: Json) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _applied(document: Json, operation: Mapping[str, Any]) -> Json:
    name = operation.get("op")
    run = _OPERATIONS.get(name) if isinstance(name, str) else None
    if run is None:
        raise PatchRejected(f"Unexpected kind: {name if isinstance(name, str) else 'unknown'}")
    return run(document, operation)


class _Place(NamedTuple):
    """A pointer, as it is written and as keys."""

    text: str
    keys: tuple[str, ...]

    @property
    def last(self) -> str:
        return self.keys[-1]


def _place(operation: Mapping[str, Any], key: str, fault: str = "") -> _Place:
    """Where an operation points to; what stands before the first slash counts for nothing. `fault` is what is told where it is none."""
    text = operation.get(key)
    if isinstance(text, str):
        steps = text.split("/")[1:]
        return _Place(text, tuple(step.replace("~1", "/").replace("~0", "~") for step in steps))
    if text is None:
        fault = fault or f"operation missing {key} field: {_MISSING}"
    else:
        fault = fault or f"json: cannot unmarshal {_json_kind(text)} into Go value of type string"
    raise PatchRejected(f"{operation.get('op')} operation failed to decode {key}: {fault}")


def _add(document: Json, operation: Mapping[str, Any]) -> Json:
    place = _place(operation, "path", _MISSING)
    holder = _reached(document, place, f'add operation does not apply: doc is missing path: "{place.text}"')
    with _told(f"error in add for path: '{place.text}'"):
        return _holding(document, place.keys, _added(holder, place.last, operation.get("value")))


def _replace(document: Json, operation: Mapping[str, Any]) -> Json:
    place, wanted = _place(operation, "path"), operation.get("value")
    if not place.text:
        if not isinstance(wanted, (dict, list)):
            raise PatchRejected("replace operation value must be object or array: %!w(<nil>)")
        return wanted
    holder = _reached(document, place, f"replace operation does not apply: doc is missing path: {place.text}")
    try:
        _get(holder, place.last)
    except _Unfit as error:
        raise PatchRejected(
            f"replace operation does not apply: doc is missing key: {place.text}: {_MISSING}"
        ) from error
    return _holding(document, place.keys, _set(holder, place.last, wanted))


def _remove(document: Json, operation: Mapping[str, Any]) -> Json:
    place = _place(operation, "path", _MISSING)
    holder = _reached(document, place, f'remove operation does not apply: doc is missing path: "{place.text}"')
    with _told(f"error in remove for path: '{place.text}'"):
        return _holding(document, place.keys, _without(holder, place.last))


def _move(document: Json, operation: Mapping[str, Any]) -> Json:
    source = _place(operation, "from")
    holder = _reached(document, source, f"move operation does not apply: doc is missing from path: {source.text}")
    with _told(f"error in move for path: '{source.last}'"):
        value = _get(holder, source.last)
        document = _holding(document, source.keys, _without(holder, source.last))
    place = _place(operation, "path")
    return _landed(document, place, value, "move", f"error in move for path: '{place.text}'")


def _copy(document: Json, operation: Mapping[str, Any]) -> Json:
    source = _place(operation, "from")
    holder = _reached(document, source, f"copy operation does not apply: doc is missing from path: {source.text}")
    with _told(f"error in copy for from: '{source.text}'"):
        value = _get(holder, source.last)
    place = _place(operation, "path", _MISSING)
    return _landed(document, place, value, "copy", "error while adding value during copy")


def _landed(document: Json, place: _Place, value: Json, name: str, fault: str) -> Json:
    """The document with what was moved or copied."""
    lost = f"{name} operation does not apply: doc is missing destination path: {place.text}"
    holder = _reached(document, place, lost)
    with _told(fault):
        return _holding(document, place.keys, _added(holder, place.last, value))


def _test(document: Json, operation: Mapping[str, Any]) -> Json:
    place, found = _place(operation, "path"), document
    if place.text:
        holder = _reached(document, place, f"test operation does not apply: is missing path: {place.text}")
        with _told(f"error in test for path: '{place.text}'"):
            found = _get(holder, place.last)
    # Texts are compared, so 1 and 1.0 differ here.
    if canonical(found) != canonical(operation.get("value")):
        raise FailedTest(f"testing value {place.text} failed: test failed")
    return document


_OPERATIONS: Mapping[str, Callable[[Json, Mapping[str, Any]], Json]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}

_Holder = dict[str, Json] | list[Json]


class _Unfit(Exception):
    """A key that its map or list cannot have."""


@contextlib.contextmanager
def _told(fault: str) -> Iterator[None]:
    """What is unfit is told as this fault."""
    try:
        yield
    except _Unfit as error:
        raise PatchRejected(f"{fault}: {error}") from error


def _reached(document: Json, place: _Place, lost: str) -> _Holder:
    """The map or list that has, or would have, what a place names; `lost` is told where the way there is missing."""
    holder = _holder(document, place.keys)
    if holder is None:
        raise PatchRejected(f"{lost}: {_MISSING}")
    return holder


def _holder(document: Json, keys: tuple[str, ...]) -> _Holder | None:
    """The map or list that has, or would have, the last of the keys; None where the way there is missing."""
    value = document
    for key in keys[:-1]:
        if not isinstance(value, (dict, list)):
            return None
        try:
            value = _get(value, key)
        except _Unfit:
            return None
    return value if keys and isinstance(value, (dict, list)) else None


def _holding(value: Json, keys: tuple[str, ...], holder: _Holder) -> Json:
    """A copy of the value in which this holder is where the last of the keys is."""
    if len(keys) == 1 or not isinstance(value, (dict, list)):
        return holder
    return _set(value, keys[0], _holding(_get(value, keys[0]), keys[1:], holder))


def _get(holder: _Holder, key: str) -> Json:
    """What is there; null where a map lacks the key."""
    return holder.get(key) if isinstance(holder, dict) else holder[_position(key, len(holder) - 1, len(holder))]


def _set(holder: _Holder, key: str, value: Json) -> _Holder:
    if isinstance(holder, dict):
        return {**holder, key: value}
    index = _position(key, len(holder) - 1, len(holder))
    return [*holder[:index], value, *holder[index + 1 :]]


def _added(holder: _Holder, key: str, value: Json) -> _Holder:
    if isinstance(holder, dict):
        return {**holder, key: value}
    try:
        index = len(holder) if key == "-" else _position(key, len(holder), len(holder) + 1)
    except _NoNumber as error:
        raise _Unfit(f"value was not a proper array index: '{key}': {error}") from error
    return [*holder[:index], value, *holder[index:]]


def _without(holder: _Holder, key: str) -> _Holder:
    if isinstance(holder, dict):
        if key not in holder:
            raise _Unfit(f"Unable to remove nonexistent key: {key}: {_MISSING}")
        return {name: item for name, item in holder.items() if name != key}
    index = _position(key, len(holder) - 1, len(holder))
    return [*holder[:index], *holder[index + 1 :]]


class _NoNumber(_Unfit):
    """A list's key that is no number."""


def _position(key: str, last: int, size: int) -> int:
    """The list position that a key names, at most `last`; negative ones count from the end, `size`."""
    if not _POSITION.fullmatch(key):
        raise _NoNumber(f'strconv.Atoi: parsing "{key}": invalid syntax')
    index = int(key)
    if not -size <= index <= last:
        raise _Unfit(f"Unable to access invalid index: {index}: {_NO_INDEX}")
    return index + size if index < 0 else index
