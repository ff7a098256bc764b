"""Whether a CRD's schema is structural, so that pruning, defaulting and merging know every field.

The rules and texts are apiextensions' (apiserver/schema.ValidateStructural): the shape of a value is told once, outside of allOf, anyOf,
oneOf and not, which may only narrow what has been told.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, required
from kilde.kubeapi.resources.custom.definition import PRESERVE, Schema
from kilde.kubeapi.resources.custom.patterns import check_pattern

EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
LIST_TYPE, LIST_KEYS, MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
RULES = "x-kubernetes-validations"
# What the structural form of a schema forgets, and what the rule on metadata at the root overlooks.
_FREE_IN_METADATA = frozenset({"type", "default", "properties", "$schema", "deprecated"})
_EITHER = ({"type": "integer"}, {"type": "string"})
_MISSING_TYPE = {
    "root": "must not be empty at the root",
    "field": "must not be empty for specified object fields",
    "item": "must not be empty for specified array items",
}
# What shapes a value may not stand in allOf and the like: the keyword, and what it must be there.
_SHAPING = (
    ("type", "empty"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    (PRESERVE, "false"),
    (EMBEDDED, "false"),
    (INT_OR_STRING, "false"),
    (LIST_KEYS, "empty"),
    (LIST_TYPE, "undefined"),
    (MAP_TYPE, "undefined"),
    (RULES, "empty"),
)


def check_structural(schema: Schema, at: str) -> list[Cause]:
    """What keeps the schema at the field `at` from being structural, in the order of the texts, as the server sorts them."""
    return sorted((*_invariants(schema, "root", at), *_told(schema, schema, at, at)), key=str)


def properties(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The fields of a schema; null counts as a schema that says nothing."""
    return ((name, child or {}) for name, child in (schema.get("properties") or {}).items())


def child(schema: Schema, name: str) -> Schema | None:
    """The schema below a keyword (`items`, `additionalProperties`, `not`); None where there is none, or not one."""
    found = schema.get(name)
    return found if isinstance(found, Mapping) else None


def clauses(schema: Schema) -> Iterator[tuple[str, int, Schema]]:
    """(path below the schema, number, schema) of everything in allOf, anyOf, oneOf and not; `not` has the number 0."""
    for name in ("allOf", "anyOf", "oneOf"):
        yield from ((f"{name}[{index}]", index, one or {}) for index, one in enumerate(schema.get(name) or ()))
    negated = child(schema, "not")
    if negated is not None:
        yield "not", 0, negated


def _invariants(schema: Schema, level: str, at: str) -> Iterator[Cause]:
    items, extra = child(schema, "items"), schema.get("additionalProperties")
    if schema.get("type") == "array" and items is None:
        yield required(f"{at}.items", "must be specified")
    if items is not None:
        yield from _invariants(items, "item", f"{at}.items")
    for name, below in properties(schema):
        yield from _invariants(below, "field", f"{at}.properties[{name}]")
    if extra is not None and level == "root":
        yield forbidden(f"{at}.additionalProperties", "must not be used at the root")
    if isinstance(extra, Mapping):
        yield from _invariants(extra, "field", f"{at}.additionalProperties")
    for name in (PRESERVE, EMBEDDED):
        if schema.get(INT_OR_STRING) and schema.get(name):
            yield invalid(f"{at}.{name}", value=True, detail=f"must be false if {INT_OR_STRING} is true")
    yield from _narrowing(schema, at, free=_free(schema))
    yield from _type(schema, level, at)
    yield from _metadata(schema, level, at)


def _free(schema: Schema) -> str:
    """The one place that may name two types: the two of a value that is either a number or a text."""
    if _is_either(schema.get("anyOf")):
        return "anyOf"
    first: Schema = (schema.get("allOf") or ({},))[0] or {}
    return "allOf" if _is_either(first.get("anyOf")) and len(schema.get("allOf") or ()) else ""


def _is_either(alternatives: Json) -> bool:
    found = [{key: value for key, value in (one or {}).items() if value} for one in alternatives or ()]
    return found == list(_EITHER)


def _type(schema: Schema, level: str, at: str) -> Iterator[Cause]:
    kind, embedded = schema.get("type") or "", bool(schema.get(EMBEDDED))
    if embedded and kind != "object":
        words = f"must be object if {EMBEDDED} is true"
        yield invalid(f"{at}.type", kind, words) if kind else required(f"{at}.type", words)
    elif not kind and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        yield required(f"{at}.type", _MISSING_TYPE[level])
    if embedded and schema.get("additionalProperties") is not None:
        yield forbidden(f"{at}.additionalProperties", f"must not be used if {EMBEDDED} is set")
    if level == "root" and kind and kind != "object":
        yield invalid(f"{at}.type", kind, "must be object at the root")
    if embedded and not schema.get(PRESERVE) and not schema.get("properties"):
        yield required(f"{at}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}")


def _metadata(schema: Schema, level: str, at: str) -> Iterator[Cause]:
    """Of a whole object's own fields a schema may restrict no more than the name."""
    fields, whole = dict(properties(schema)), level == "root" or bool(schema.get(EMBEDDED))
    for name in ("kind", "apiVersion"):
        if whole and name in fields and fields[name].get("type") != "string":
            yield invalid(f"{at}.properties[{name}].type", fields[name].get("type") or "", "must be string")
    metadata = fields.get("metadata")
    if metadata is None:
        return
    if whole and metadata.get("type") != "object":
        yield invalid(f"{at}.properties[metadata].type", metadata.get("type") or "", "must be object")
    others = {key for key, value in metadata.items() if value and key not in _FREE_IN_METADATA}
    if level == "root" and (others or {name for name, _ in properties(metadata)} - {"name", "generateName"}):
        words = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(f"{at}.properties[metadata]", words)


def _narrowing(schema: Schema, at: str, free: str = "") -> Iterator[Cause]:
    """What is wrong in the clauses of a schema and with its pattern; `free` clauses may name the two types of either."""
    for path, index, clause in clauses(schema):
        if free == "anyOf" and path.startswith("anyOf"):
            continue
        yield from _clause(clause, f"{at}.{path}", free="anyOf" if free == path[:5] == "allOf" and index == 0 else "")
    pattern = schema.get("pattern")
    if pattern:
        try:
            check_pattern(pattern)
        except InvalidInput as error:
            yield invalid(f"{at}.pattern", pattern, f"must be a valid regular expression, but isn't: {error.what}")


def _clause(clause: Schema, at: str, free: str = "") -> Iterator[Cause]:
    yield from _narrowing(clause, at, free)
    items, extra = child(clause, "items"), clause.get("additionalProperties")
    if items is not None:
        yield from _clause(items, f"{at}.items")
    for name, below in properties(clause):
        yield from _clause(below, f"{at}.properties[{name}]")
    if isinstance(extra, Mapping) or extra is True:
        yield forbidden(f"{at}.additionalProperties", "must be undefined to be structural")
    for key, wanted in _SHAPING:
        if _is_set(clause, key):
            yield forbidden(f"{at}.{key}", f"must be {wanted} to be structural")
    if "metadata" in (clause.get("properties") or {}):
        yield forbidden(f"{at}.properties[metadata]", "must not be specified in a nested context")


def _is_set(clause: Schema, key: str) -> bool:
    return clause.get(key) is not None if key in ("default", LIST_TYPE, MAP_TYPE) else bool(clause.get(key))


def _told(clause: Schema, schema: Schema, at: str, clause_at: str) -> Iterator[Cause]:
    """Every field that a clause speaks of must have been told outside of the clauses."""
    for path, _, one in clauses(clause):
        yield from _told_below(one, schema, at, f"{clause_at}.{path}")


def _told_below(clause: Schema, schema: Schema, at: str, clause_at: str) -> Iterator[Cause]:
    yield from _told(clause, schema, at, clause_at)
    below: list[tuple[str, Schema, Any]] = [
        (f"properties[{name}]", one, (schema.get("properties") or {}).get(name, _NOT_TOLD))
        for name, one in properties(clause)
    ]
    items = child(clause, "items")
    if items is not None:
        below.append(("items", items, schema.get("items") if child(schema, "items") is not None else _NOT_TOLD))
    for path, one, told in below:
        if told is _NOT_TOLD:
            yield required(f"{at}.{path}", f"because it is defined in {clause_at}.{path}")
        else:
            yield from _told_below(one, told or {}, f"{at}.{path}", f"{clause_at}.{path}")


_NOT_TOLD = object()
