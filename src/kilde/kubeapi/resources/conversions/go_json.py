"""Structs in Go's JSON: read as encoding/json reads them (names in any case, nothing unknown), written in the order of their fields."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects import quantity

Reader = Callable[[Json], Json]
_INT32 = 1 << 31
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Unfit(Exception):
    """A value is not of its field's type."""


class Field(NamedTuple):
    """One field: `default` is its value where it is missing, `omit` leaves it out of what is written if it has that value."""

    name: str
    read: Reader
    default: Json
    omit: bool = False


def text(value: Json) -> Json:
    if not isinstance(value, str | None):
        raise Unfit
    return value


def number(value: Json) -> Json:
    if value is not None and (type(value) is not int or not -_INT32 <= value < _INT32):
        raise Unfit
    return value


def amount(value: Json) -> Json:
    """A quantity in its canonical text."""
    if value is None:
        return None
    try:
        return quantity.canonical(value)
    except InvalidInput as error:
        raise Unfit from error


def mapping(value: Json) -> Json:
    """A part that is kept as it is."""
    if not isinstance(value, dict | None):
        raise Unfit
    return value


def struct(fields: Sequence[Field]) -> Reader:
    return lambda value: None if value is None else read(fields, value)


def array(item: Reader) -> Reader:
    def of(value: Json) -> Json:
        if not isinstance(value, list | None):
            raise Unfit
        return None if value is None else [item(one) for one in value]

    return of


def read(fields: Iterable[Field], value: Json) -> Object:
    """The struct: its fields in their order. Unfit if something has another type."""
    if not isinstance(value, dict | None):
        raise Unfit
    given = {key.lower(): (key, item) for key, item in (value or {}).items()}
    made: Object = {}
    for field in fields:
        exact = (value or {}).get(field.name, given.get(field.name.lower(), ("", None))[1])
        found = field.read(exact)
        if found is None:
            found = field.default
        if not (field.omit and found == field.default):
            made[field.name] = found
    return made


def written(value: Json) -> str:
    """Compact JSON with the escapes of Go's encoder."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).translate(_ESCAPES)
