"""Checks the values of a custom resource against its schema, with the messages of kube-openapi's validator.

`check` ratchets as a real server does: what has not changed since the old object is not judged again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Json, canonical
from kilde.kubeapi.resources.causes import (
    NO_FIELD,
    Cause,
    duplicate,
    invalid,
    not_supported,
    required,
    shown,
    too_long,
    too_many,
    type_invalid,
)
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.custom.formats import FORMATS, TEXT_FORMATS
from kilde.kubeapi.resources.custom.numbers import check_number, is_whole
from kilde.kubeapi.resources.custom.patterns import matches

_NOTHING = object()
_INT_OR_STRING = "x-kubernetes-int-or-string"


def type_name(value: Json) -> str:
    """The JSON type of a value, as messages name it; a number without a fraction is an integer."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if is_whole(value) else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is; messages name it from what is judged on, whose own path is `root`."""

    path: str
    root: str = ""

    def field(self, name: str) -> "_Place":
        return _Place(f"{self.path}.{name}" if self.path else name, self.root)

    def item(self, index: int) -> "_Place":
        return _Place(f"{self.path}[{index}]", self.root)

    @property
    def body(self) -> str:
        return f"{self.path.removeprefix(self.root).removeprefix('.')} in body"


def check(value: Json, schema: Schema, path: str = "", old: Json = _NOTHING, *, root: str = "") -> list[Cause]:
    """What is wrong with a value. `old` is what stood there before, for an update; `root` is what messages leave out of the path."""
    return list(_check(value, schema, _Place(path, root), old))


def _check(value: Json, schema: Schema, place: _Place, old: Json) -> Iterator[Cause]:
    if old is not _NOTHING and same_json(old, value):
        return
    kind = type_name(value)
    wrong, is_of = _type(value, kind, schema)
    if wrong:
        yield type_invalid(place.path, is_of, f'{place.body} must be of type {wrong}: "{is_of}"')
    yield from _enum(value, schema, place)
    if (wrong and kind not in _NUMBERS) or kind == "null":
        return
    judge = _BY_KIND.get(kind)
    if judge is not None:
        yield from judge(value, schema, place, old)
    yield from _compositions(value, schema, place)


_NUMBERS = ("integer", "number")


def same_json(a: Json, b: Json) -> bool:
    """Whether two values are the same and of the same types all through: to Python 1, 1.0 and True are equal."""
    return type(a) is type(b) and bool(a == b) and (not isinstance(a, (dict, list)) or canonical(a) == canonical(b))


def _type(value: Json, kind: str, schema: Schema) -> tuple[str, str]:
    """The type, or format, that was wanted, and what the value is of; ("", …) where it fits. Texts and lists fit any format here."""
    wanted = ("integer", "string") if schema.get(_INT_OR_STRING) else (schema["type"],) if schema.get("type") else ()
    if not wanted or (kind == "null" and schema.get("nullable")):
        return "", kind
    fits = kind in wanted or (kind == "integer" and "number" in wanted)
    form = str(schema.get("format") or "")
    if not fits and kind != "null" and form.replace("-", "") in TEXT_FORMATS:
        if kind not in ("string", "array"):
            return form, "" if kind not in _NUMBERS else "int64" if type(value) is int else "float64"
        fits = not any(one in wanted for one in _NUMBERS)
    if not fits and form and kind == "number" and schema.get("type") == "integer":
        return form, "float64"
    return ("" if fits else ",".join(wanted)), kind


def _enum(value: Json, schema: Schema, place: _Place) -> Iterator[Cause]:
    allowed = schema.get("enum")
    if allowed and not any(type(one) is type(value) and one == value for one in allowed):
        yield not_supported(place.path, value, [one if isinstance(one, str) else shown(one) for one in allowed])


def _number(value: float, schema: Schema, place: _Place, old: Json) -> Iterator[Cause]:
    return check_number(value, schema, place.path, place.body)


def _text(value: str, schema: Schema, place: _Place, old: Json) -> Iterator[Cause]:
    most, least, pattern, form = (schema.get(key) for key in ("maxLength", "minLength", "pattern", "format"))
    # Of the first three only the first that is broken is told.
    if most is not None and len(value) > most:
        yield too_long(place.path, most)
    elif least is not None and len(value) < least:
        yield invalid(place.path, value, f"{place.body} should be at least {least} chars long")
    elif pattern and not matches(pattern, value):
        yield invalid(place.path, value, f"{place.body} should match '{pattern}'")
    known = FORMATS.get(form or "")
    if known is not None and not schema.get(_INT_OR_STRING) and not known(value):
        yield type_invalid(place.path, value, f"{place.body} must be of type {form}: {shown(value)}")


def _array(value: list[Any], schema: Schema, place: _Place, old: Json) -> Iterator[Cause]:
    most, least, items = schema.get("maxItems"), schema.get("minItems"), schema.get("items")
    if most is not None and len(value) > most:
        yield too_many(place.path, len(value), most)
    if least is not None and len(value) < least:
        yield invalid(place.path, len(value), f"{place.body} should have at least {least} items")
    if isinstance(items, Mapping):
        before = _old_items(schema, old)
        for index, item in enumerate(value):
            yield from _check(item, items, place.item(index), before(item))
    yield from _twice(value, schema, place)


def _old_items(schema: Schema, old: Json) -> Callable[[Json], Json]:
    """How to find what an item of a list was before: only the items of an associative list can be told apart."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") != "map" or not keys or not isinstance(old, list):
        return lambda item: _NOTHING
    known = {_key(item, keys): item for item in old if isinstance(item, dict)}
    return lambda item: known.get(_key(item, keys), _NOTHING) if isinstance(item, dict) else _NOTHING


def _key(item: Mapping[str, Json], keys: list[str]) -> str:
    return shown({key: item.get(key) for key in keys})


def _twice(value: list[Any], schema: Schema, place: _Place) -> Iterator[Cause]:
    """Items of a set or an associative list that are there more than once."""
    relation, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if relation not in ("set", "map"):
        return
    for index, item in enumerate(value):
        if relation == "map" and item is not None and not isinstance(item, dict):
            yield invalid(f"{place.path}[{index}]", item, "must be an object for an array of list-type map")
            return
    seen: Counter[str] = Counter()
    for index, item in enumerate(value):
        told = {key: item[key] for key in keys if key in (item or ())} if relation == "map" else item
        text = shown(told)
        seen[text] += 1
        if seen[text] == 2:  # told once, however often it is there
            yield duplicate(f"{place.path}[{index}]", told)


def _object(value: Mapping[str, Any], schema: Schema, place: _Place, old: Json) -> Iterator[Cause]:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    if most is not None and len(value) > most:
        yield too_many(place.path, len(value), most)
    if least is not None and len(value) < least:
        yield invalid(place.path, len(value), f"{place.body} should have at least {least} properties")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(place.field(name).path)
    before = old if isinstance(old, dict) else {}
    for name, child in value.items():
        below = properties.get(name, extra if isinstance(extra, Mapping) else None)
        if below is not None:
            yield from _check(child, below, place.field(name), before.get(name, _NOTHING))


_BY_KIND: Mapping[str, Callable[[Any, Schema, _Place, Json], Iterator[Cause]]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "array": _array,
    "object": _object,
}


def _compositions(value: Json, schema: Schema, place: _Place) -> Iterator[Cause]:
    """allOf, anyOf, oneOf and not. Which of them failed is said without a field; why, with one."""

    def failed(words: str) -> Cause:
        return Cause(NO_FIELD, "FieldValueInvalid", f'Invalid value: "": "{place.path}" must {words}')

    def judged(key: str) -> list[list[Cause]]:
        return [list(_check(value, one, place, _NOTHING)) for one in schema.get(key) or ()]

    alternatives = judged("anyOf")
    if alternatives and all(alternatives):
        yield failed("validate at least one schema (anyOf)")
        yield from alternatives[0]
    one_of = judged("oneOf")
    valid = sum(not causes for causes in one_of)
    if one_of and valid != 1:
        yield failed(
            "validate one and only one schema (oneOf). Found "
            + (f"{valid} valid alternatives" if valid else "none valid")
        )
        if not valid:
            yield from one_of[0]
    wrong = [cause for causes in judged("allOf") for cause in causes]
    if wrong:
        yield failed("validate all the schemas (allOf)")
        yield from wrong
    if "not" in schema and not list(_check(value, schema["not"], place, _NOTHING)):
        yield failed("not validate the schema (not)")
