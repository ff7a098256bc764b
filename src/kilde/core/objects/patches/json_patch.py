"""JSON patch (RFC 6902), as the API server does it.

Where it differs from the RFC: `replace` of an absent map key adds it, `copy` of one gives null, a missing value is null,
negative list positions count from the end, `test` against null holds where nothing is, and the document as a whole
cannot be added, removed, moved or copied.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.basics.values import Json, Object, canonical
from kilde.core.objects.patches.errors import BadPatch, PatchRejected, PatchTooLarge
from kilde.core.objects.pointer import parse_pointer

MAX_OPERATIONS = 10_000

_POSITION = re.compile(r"-?[0-9]{1,9}")


def json_patch(document: Object, patch: Json) -> Json:
    """The document after all operations; the given one is not changed.

    BadPatch if it is no list of operations, PatchTooLarge beyond 10,000, PatchRejected if one of them does not apply.
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
        raise PatchRejected(f"Unexpected kind: {name}")
    return run(document, operation)


def _tokens(operation: Mapping[str, Any], key: str) -> tuple[str, ...]:
    text = operation.get(key)
    tokens = parse_pointer(text) if isinstance(text, str) else None
    if tokens is None:
        raise PatchRejected(f"{operation.get('op')} operation has no {key} that is a JSON pointer")
    return tokens


def _add(document: Json, operation: Mapping[str, Any]) -> Json:
    return _put(document, _below(operation, "path"), operation.get("value"), insert=True)


def _replace(document: Json, operation: Mapping[str, Any]) -> Json:
    tokens, wanted = _tokens(operation, "path"), operation.get("value")
    if not tokens and not isinstance(wanted, (dict, list)):
        raise PatchRejected("replace operation value must be object or array")
    return _put(document, tokens, wanted, insert=False)


def _remove(document: Json, operation: Mapping[str, Any]) -> Json:
    return _without(document, _below(operation, "path"))


def _below(operation: Mapping[str, Any], key: str) -> tuple[str, ...]:
    tokens = _tokens(operation, key)
    if not tokens:
        raise PatchRejected(f'{operation.get("op")} operation does not apply: doc is missing path: ""')
    return tokens


def _move(document: Json, operation: Mapping[str, Any]) -> Json:
    source, target = _below(operation, "from"), _below(operation, "path")
    value = _look(document, source)
    return _put(_without(document, source), target, value, insert=True)


def _copy(document: Json, operation: Mapping[str, Any]) -> Json:
    value = _look(document, _below(operation, "from"))
    return _put(document, _below(operation, "path"), value, insert=True)


def _test(document: Json, operation: Mapping[str, Any]) -> Json:
    tokens, wanted = _tokens(operation, "path"), operation.get("value")
    # Texts are compared, so 1 and 1.0 differ here.
    if canonical(_look(document, tokens)) != canonical(wanted):
        raise PatchRejected(f"testing value {operation.get('path')} failed")
    return document


_OPERATIONS: Mapping[str, Callable[[Json, Mapping[str, Any]], Json]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _position(items: list[Json], token: str, *, end: int) -> int:
    """The list position a token names, at most `end`; negative ones count from the end."""
    if not _POSITION.fullmatch(token):
        raise PatchRejected(f"not a list position: {token}")
    index = int(token)
    if index < 0:
        index += end + 1
    if not 0 <= index <= end:
        raise PatchRejected(f"Unable to access invalid index: {token}")
    return index


def _look(document: Json, tokens: tuple[str, ...]) -> Json:
    """What the pointer names; null where the last key is absent from its map."""
    value = document
    for depth, token in enumerate(tokens):
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list):
            value = value[_position(value, token, end=len(value) - 1)]
        elif depth == len(tokens) - 1 and isinstance(value, dict):
            return None
        else:
            raise PatchRejected("doc is missing path: /" + "/".join(tokens[: depth + 1]))
    return value


def _put(value: Json, tokens: tuple[str, ...], wanted: Json, *, insert: bool) -> Json:
    """A copy of the value with `wanted` at the pointer; `insert`: a list grows there."""
    if not tokens:
        return wanted
    head, rest = tokens[0], tokens[1:]
    if isinstance(value, dict):
        if rest and head not in value:
            raise PatchRejected(f"doc is missing path: {head}")
        return {**value, head: _put(value[head], rest, wanted, insert=insert) if rest else wanted}
    if not isinstance(value, list):
        raise PatchRejected(f"doc is missing path: {head}")
    if rest or not insert:
        index = _position(value, head, end=len(value) - 1)
        changed = _put(value[index], rest, wanted, insert=insert) if rest else wanted
        return [*value[:index], changed, *value[index + 1 :]]
    index = len(value) if head == "-" else _position(value, head, end=len(value))
    return [*value[:index], wanted, *value[index:]]


def _without(value: Json, tokens: tuple[str, ...]) -> Json:
    """A copy of the value without what the pointer names."""
    head, rest = tokens[0], tokens[1:]
    if isinstance(value, dict):
        if head not in value:
            raise PatchRejected(f"Unable to remove nonexistent key: {head}")
        if rest:
            return {**value, head: _without(value[head], rest)}
        return {key: item for key, item in value.items() if key != head}
    if isinstance(value, list):
        index = _position(value, head, end=len(value) - 1)
        changed = [_without(value[index], rest)] if rest else []
        return [*value[:index], *changed, *value[index + 1 :]]
    raise PatchRejected(f"doc is missing path: {head}")
