"""Request bodies: JSON and YAML become objects; what is said twice is noticed."""

import json
from typing import Any, NamedTuple

import yaml
from yaml.scanner import ScannerError

from kilde.core.basics.errors import InvalidInput, InvalidYaml
from kilde.core.basics.json_words import json_problem
from kilde.core.basics.values import Json
from kilde.core.objects.yaml_reader import YamlLimits, read_first
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.failures import bad_request
from kilde.kubeapi.logic.negotiate import PROTOBUF, YAML
from kilde.kubeapi.resources import protobuf

PARSING = "couldn't get version/kind; json parse error"
_SHOWN = 30
_LIMITS = YamlLimits(size=3 << 20, depth=500)


class Body(NamedTuple):
    """A decoded body; `duplicates` are the paths of keys that were there twice, as Kubernetes words them."""

    value: Json
    duplicates: tuple[str, ...] = ()


class Unreadable(InvalidInput):
    """A body is none; `what` is in a real server's words."""

    code = "unreadable-body"


def decode(raw: bytes, media: str, kind: str) -> Body:
    """The value of a body that should be of this kind. 400 if it cannot be read."""
    try:
        return read(raw, media)
    except Unreadable as error:
        raise unrecognized(raw, kind, error.what) from error


def read(raw: bytes, media: str) -> Body:
    """The value of a JSON or YAML body, as a Go decoder reads it (maps under one key are united). Unreadable; 400 for protobuf."""
    if media == PROTOBUF:
        return _protobuf(raw)
    try:
        return _yaml(raw) if media == YAML else _json(raw)
    except InvalidInput as error:
        raise Unreadable(f"yaml: {_as_go(error)}") from error
    except RecursionError as error:
        raise Unreadable(f"{PARSING}: exceeded max depth") from error
    except ValueError as error:
        raise Unreadable(f"{PARSING}: {json_problem(raw)}") from error


def _as_go(error: InvalidInput) -> str:
    """What Go's reader says of a mistake in YAML: the same library's problem, with a line counted as go-yaml counts it."""
    cause = error.__cause__
    if not isinstance(cause, yaml.MarkedYAMLError) or not cause.problem:
        return f"{error.what} referenced" if error.what.startswith("unknown anchor") else error.what
    mark = cause.problem_mark or cause.context_mark
    before = error.place.line - mark.line - 1 if mark is not None and error.place is not None else 0
    line = cause.problem_mark.line + before if cause.problem_mark else 0
    if line and isinstance(cause, ScannerError):
        line += 1
    elif not line and cause.context_mark is not None:
        line = cause.context_mark.line + before
    return f"line {line}: {cause.problem}" if line else cause.problem


def without_kind(raw: bytes, kind: str) -> ApiError:
    """400 for a custom resource that does not say its kind: of built-in ones the path says it."""
    return unrecognized(raw, kind, f"Object 'Kind' is missing in '{raw.decode(errors='replace')}'")


def unrecognized(raw: bytes, kind: str, why: str) -> ApiError:
    """400, with the beginning of what was sent."""
    head = raw[:_SHOWN].decode(errors="replace") if raw[:1] == b"{" else raw[:_SHOWN].hex()
    shown = "<empty>" if not raw else f"{head} ..." if len(raw) > _SHOWN else head
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {why} ({shown})")


def _protobuf(raw: bytes) -> Body:
    try:
        return Body(protobuf.decode(raw))
    except InvalidInput as error:
        raise bad_request(error.what) from error


def _yaml(raw: bytes) -> Body:
    twice: tuple[str, ...] = ()
    try:
        value = read_first(raw, limits=_LIMITS)
    except InvalidYaml as error:
        if "already defined" not in error.what:
            raise
        twice = (
            f"{_where(error)}{error.what.replace('mapping key', 'key').replace('already defined', 'already set in map')}",
        )
        value = read_first(raw, limits=_LIMITS, duplicates="last")
    return Body(value, twice)


def _where(error: InvalidYaml) -> str:
    return f"line {error.place.line}: " if error.place is not None and error.place.line else ""


class _Twice(dict[str, Any]):
    """An object that had keys more than once."""

    twice: tuple[str, ...] = ()


class _Repeated(Exception):
    """An object has a key more than once."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Repeated
    return made


_without_duplicates = json.JSONDecoder(object_pairs_hook=_once).decode


def _json(raw: bytes) -> Body:
    """A decoder that gathers what is there twice has to be made anew for each body, so one that cannot is tried first."""
    try:
        return Body(_without_duplicates(raw.decode(json.detect_encoding(raw), "surrogatepass")))
    except _Repeated:
        return _json_with_duplicates(raw)


def _json_with_duplicates(raw: bytes) -> Body:
    found: list[_Twice] = []

    def gather(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        return made if len(made) == len(pairs) else _united(pairs, found)

    value = json.loads(raw, object_pairs_hook=gather)
    return Body(value, tuple(_duplicates(value, "")) if found else ())


def _united(pairs: list[tuple[str, Any]], found: list[_Twice]) -> dict[str, Any]:
    made = _Twice()
    twice: dict[str, None] = {}
    for key, value in pairs:
        if key in made:
            twice[key] = None
            before = made[key]
            if isinstance(before, dict) and isinstance(value, dict):
                inner = _Twice({**before, **value})
                inner.twice = tuple(name for each in (before, value) if isinstance(each, _Twice) for name in each.twice)
                value = inner
        made[key] = value
    made.twice = tuple(twice)
    found.append(made)
    return made


def _duplicates(value: Json, path: str) -> list[str]:
    found = []
    if isinstance(value, dict):
        for key, item in value.items():
            where = f"{path}.{key}" if path else key
            if isinstance(value, _Twice) and key in value.twice:
                found.append(f'duplicate field "{where}"')
            found += _duplicates(item, where)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _duplicates(item, f"{path}[{index}]")
    return found
