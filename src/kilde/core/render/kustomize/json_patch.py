"""JSON 6902 patches as kustomize applies them: the whole object passes through JSON, so big numbers lose precision."""

from typing import Any, NamedTuple

from kilde.core.basics.errors import InvalidInput, InvalidYaml, Place, RenderFailed
from kilde.core.basics.reading import did_you_mean
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import Quoted, copy_tree, integral, to_json
from kilde.core.objects.yaml_writer import needs_quotes
from kilde.core.render.kustomize.budget import Budget
from kilde.core.render.kustomize.resource import number_from_json

_OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
_EXACT = 1 << 53  # beyond, a float64 has not every integer


class Operation(NamedTuple):
    """One operation. `value` is JSON."""

    op: str
    path: tuple[str, ...]
    value: Any = None
    has_value: bool = False
    source: tuple[str, ...] = ()
    invalid: str = ""  # why it cannot be applied to anything

    def __str__(self) -> str:
        return f"{self.op} /{'/'.join(self.path)}"


def parse(text: bytes, file: str) -> tuple[Operation, ...]:
    """A patch in YAML or JSON. Raises RenderFailed for what is no list of operations."""
    if text.lstrip()[:1] == b"[" and text[:1] == b"[":
        import json

        try:
            found = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise InvalidYaml(f"not JSON: {error}", place=Place(file)) from error
    else:
        documents = read_documents(text, file=file, mode="kubernetes", duplicates="last")
        found = documents[0].value if documents else []
    if not isinstance(found, list):
        raise RenderFailed("a JSON patch must be a list of operations", about=file)
    return tuple(_operation(item, file) for item in found)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _operation(raw: Any, file: str) -> Operation:
    if not isinstance(raw, dict):
        raise RenderFailed("an operation of a JSON patch must be a map", about=file)
    op, path, source = raw.get("op"), raw.get("path"), raw.get("from")
    invalid = ""
    if op not in _OPERATIONS:
        invalid = (
            f"unexpected kind of operation '{op}'{did_you_mean(str(op), _OPERATIONS)}; one of {', '.join(_OPERATIONS)}"
        )
    elif not isinstance(path, str):
        invalid = f"operation '{op}' has no path"
    elif op in ("move", "copy") and not isinstance(source, str):
        invalid = f"operation '{op}' has no from"
    if invalid:
        return Operation("", (), invalid=invalid)
    return Operation(str(op), _tokens(str(path)), raw.get("value"), "value" in raw, _tokens(source or ""))


def _tokens(pointer: str) -> tuple[str, ...]:
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def apply(body: dict[str, Any], operations: tuple[Operation, ...], budget: Budget) -> Any:
    """The object after all operations. Raises InvalidInput with the operation that does not fit."""
    document = {"": _as_json(body)}
    for operation in operations:
        _apply_one(document, operation, budget)
    return _from_json(document[""])


def _as_json(value: Any) -> Any:
    return _lossy(to_json(value))


def _lossy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lossy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lossy(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT:
        return integral(float(value))
    return value


def _from_json(value: Any) -> Any:
    """JSON as kustomize reads it back: strings have quotes only where they need them."""
    if isinstance(value, dict):
        return {key: _from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if isinstance(value, str):
        return Quoted(value) if needs_quotes(value) else value
    return number_from_json(value)


def _fail(operation: Operation, what: str) -> InvalidInput:
    return InvalidInput(what, about=f"operation {operation}")


def _apply_one(document: dict[str, Any], operation: Operation, budget: Budget) -> None:
    if operation.invalid:
        raise InvalidInput(operation.invalid)
    path = ("", *operation.path)
    if operation.op in ("move", "copy"):
        parent, key = _parent(document, ("", *operation.source), operation)
        value = _get(parent, key, operation)
        budget.spend_copy(value, "copies by a JSON patch")
        value = copy_tree(value)
        if operation.op == "move":
            _remove(parent, key, operation)
    else:
        budget.spend_copy(operation.value, "copies by a JSON patch")
        value = _lossy(operation.value)
    parent, key = _parent(document, path, operation)
    if operation.op in ("add", "move", "copy"):
        _add(parent, key, value, operation)
    elif operation.op == "remove":
        _remove(parent, key, operation)
    elif operation.op == "replace":
        # a missing key of a map is created: the library behind kustomize looks only whether there is a map
        _put(parent, key, value, operation)
    elif _test_value(parent, key) != value:
        raise _fail(operation, "testing value failed")


def _parent(document: Any, path: tuple[str, ...], operation: Operation) -> tuple[Any, str]:
    found = document
    for token in path[:-1]:
        try:
            found = found[token] if isinstance(found, dict) else found[_index(found, token, operation)]
        except (KeyError, IndexError, TypeError) as error:
            raise _fail(operation, "the path does not exist") from error
    if not isinstance(found, (dict, list)):
        raise _fail(operation, "the path does not exist")
    return found, path[-1]


def _index(found: Any, token: str, operation: Operation) -> int:
    if not isinstance(found, list):
        raise _fail(operation, "the path does not exist")
    try:
        index = int(token)
    except ValueError as error:
        raise _fail(operation, f"'{token[:40]}' is no list index") from error
    if not -len(found) <= index < len(found):
        raise _fail(operation, f"index {index} is out of bounds")
    return index


def _get(parent: Any, key: str, operation: Operation) -> Any:
    if isinstance(parent, dict):
        return parent.get(key)
    return parent[_index(parent, key, operation)]


def _test_value(parent: Any, key: str) -> Any:
    if isinstance(parent, dict):
        return parent.get(key)
    try:
        return parent[int(key)]
    except (ValueError, IndexError):
        return None


def _put(parent: Any, key: str, value: Any, operation: Operation) -> None:
    parent[key if isinstance(parent, dict) else _index(parent, key, operation)] = value


def _add(parent: Any, key: str, value: Any, operation: Operation) -> None:
    if isinstance(parent, dict):
        parent[key] = value
    elif key == "-":
        parent.append(value)
    else:
        try:
            index = int(key)
        except ValueError as error:
            raise _fail(operation, f"'{key[:40]}' is no list index") from error
        size = len(parent) + 1
        if index >= size or index < -size:
            raise _fail(operation, f"index {index} is out of bounds")
        parent.insert(index + size if index < 0 else index, value)


def _remove(parent: Any, key: str, operation: Operation) -> None:
    if isinstance(parent, dict):
        if key not in parent:
            raise _fail(operation, "unable to remove a nonexistent key")
        del parent[key]
    else:
        del parent[_index(parent, key, operation)]
