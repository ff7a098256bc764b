"""What a CRD's schema must be like: structural, so that pruning, defaulting and merging know every field.

The rules and texts are apiextensions' (apiserver/schema.ValidateStructural and the OpenAPI checks of apis/apiextensions/validation).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.custom.cost import schema_cause, too_costly
from kilde.kubeapi.resources.custom.definition import PRESERVE, Schema
from kilde.kubeapi.resources.custom.patterns import check_pattern
from kilde.kubeapi.resources.custom.rules import RULES, check_rules
from kilde.kubeapi.resources.custom.shaping import defaulted, pruned, walk
from kilde.kubeapi.resources.custom.values import check

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_DEEPEST = 100
_EMBEDDED = "x-kubernetes-embedded-resource"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_LIST_TYPE, _LIST_KEYS, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
_COMPOSITIONS = ("allOf", "anyOf", "oneOf")
_NOT_SUPPORTED = (
    "$ref",
    "definitions",
    "dependencies",
    "deprecated",
    "discriminator",
    "id",
    "patternProperties",
    "readOnly",
    "writeOnly",
    "xml",
)
_NOT_IN_COMPOSITIONS = (
    "type",
    "default",
    "additionalProperties",
    "nullable",
    "description",
    "title",
    PRESERVE,
    _EMBEDDED,
)


def check_schema(schema: Schema, at: str) -> list[Cause]:
    """What keeps this schema from being that of a custom resource; `at` is its field."""
    causes = list(_root(schema, at))
    causes.extend(_schema(schema, at, "root", 0))
    if not causes:
        causes.extend(_defaults(schema, at))
    if any(too_costly(str(rule.get("rule", "")), one) for one in walk(schema) for rule in one.get(RULES) or ()):
        causes.append(schema_cause(at))
    return causes


def _root(schema: Schema, at: str) -> Iterator[Cause]:
    kind = schema.get("type")
    if kind and kind != "object":
        yield invalid(f"{at}.type", kind, "must be object at the root")
    if schema.get("nullable"):
        yield forbidden(f"{at}.nullable", "nullable cannot be true at the root")
    metadata = (schema.get("properties") or {}).get("metadata")
    if metadata is not None:
        extra = set(metadata) - {"type", "description", "properties"} or set(metadata.get("properties") or ()) - {
            "name",
            "generateName",
        }
        if extra:
            words = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            yield forbidden(f"{at}.properties[metadata]", words)


_LEVELS = {
    "root": "must not be empty at the root",
    "field": "must not be empty for specified object fields",
    "item": "must not be empty for specified array items",
}


def _schema(schema: Schema, at: str, level: str, depth: int) -> Iterator[Cause]:
    if depth > _DEEPEST:
        yield forbidden(at, f"a schema may not be nested more than {_DEEPEST} levels deep")
        return
    kind = schema.get("type")
    if not kind and not schema.get(_INT_OR_STRING) and not (schema.get(PRESERVE) and level != "root"):
        yield required(f"{at}.type", _LEVELS[level])
    elif kind and kind not in _TYPES:
        yield not_supported(f"{at}.type", kind, _TYPES)
    yield from _keywords(schema, at)
    yield from _extensions(schema, at)
    yield from _lists(schema, at)
    yield from _compositions(schema, at, depth)
    yield from check_rules(schema, at)
    for name, child in (schema.get("properties") or {}).items():
        yield from _schema(child, f"{at}.properties[{name}]", "field", depth + 1)
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _schema(schema["additionalProperties"], f"{at}.additionalProperties", "field", depth + 1)
    if isinstance(schema.get("items"), Mapping):
        yield from _schema(schema["items"], f"{at}.items", "item", depth + 1)


def _keywords(schema: Schema, at: str) -> Iterator[Cause]:
    for name in _NOT_SUPPORTED:
        if schema.get(name):
            yield forbidden(f"{at}.{name}", f"{name} is not supported")
    if schema.get("uniqueItems"):
        yield forbidden(
            f"{at}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        )
    extra = schema.get("additionalProperties")
    if extra is False:
        yield forbidden(f"{at}.additionalProperties", "additionalProperties cannot be set to false")
    elif extra is not None and schema.get("properties"):
        yield forbidden(f"{at}.additionalProperties", "additionalProperties and properties are mutual exclusive")
    if schema.get("type") == "array" and not isinstance(schema.get("items"), Mapping):
        yield required(f"{at}.items", "must be specified")
    if schema.get("pattern"):
        try:
            check_pattern(schema["pattern"])
        except InvalidInput as error:
            yield invalid(
                f"{at}.pattern", schema["pattern"], f"must be a valid regular expression, but isn't: {error.what}"
            )


def _extensions(schema: Schema, at: str) -> Iterator[Cause]:
    kind = schema.get("type")
    if schema.get(PRESERVE) is False:
        yield invalid(f"{at}.{PRESERVE}", value=False, detail="must be true or undefined")
    if schema.get(PRESERVE) and kind and kind != "object":
        yield invalid(f"{at}.type", kind, f"must be object if {PRESERVE} is true")
    if schema.get(_INT_OR_STRING) and kind:
        yield invalid(f"{at}.type", kind, f"must be empty if {_INT_OR_STRING} is true")
    if schema.get(_EMBEDDED):
        if kind != "object":
            yield invalid(f"{at}.type", kind or "", f"must be object if {_EMBEDDED} is true")
        if not schema.get("properties") and not schema.get(PRESERVE):
            words = f"must not be empty if {_EMBEDDED} is true without {PRESERVE}"
            yield required(f"{at}.properties", words)
    relation = schema.get(_MAP_TYPE)
    if relation is not None:
        if relation not in ("atomic", "granular"):
            yield not_supported(f"{at}.{_MAP_TYPE}", relation, ("atomic", "granular"))
        if kind != "object":
            yield invalid(f"{at}.type", kind or "", f"must be object if {_MAP_TYPE} is specified")


def _lists(schema: Schema, at: str) -> Iterator[Cause]:
    relation, keys = schema.get(_LIST_TYPE), schema.get(_LIST_KEYS) or ()
    if relation is None:
        if keys:
            yield required(f"{at}.{_LIST_TYPE}", f"must be map if {_LIST_KEYS} is non-empty")
        return
    if relation not in ("atomic", "set", "map"):
        yield not_supported(f"{at}.{_LIST_TYPE}", relation, ("atomic", "set", "map"))
    if schema.get("type") != "array":
        yield invalid(f"{at}.type", schema.get("type", ""), f"must be array if {_LIST_TYPE} is specified")
        return
    items = schema.get("items") or {}
    if relation == "set":
        yield from _set_items(items, f"{at}.items")
    elif relation == "map":
        yield from _map_items(items, keys, at)
    elif keys:
        yield forbidden(f"{at}.{_LIST_KEYS}", f"must be empty if {_LIST_TYPE} is not map")


def _set_items(items: Schema, at: str) -> Iterator[Cause]:
    if items.get("nullable"):
        yield forbidden(f"{at}.nullable", f"cannot be nullable when {_LIST_TYPE} is set")
    if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
        yield invalid(
            f"{at}.{_MAP_TYPE}", items.get(_MAP_TYPE), f"must be atomic as item of a list with {_LIST_TYPE}=set"
        )
    if items.get("type") == "array" and items.get(_LIST_TYPE, "atomic") != "atomic":
        yield invalid(
            f"{at}.{_LIST_TYPE}", items.get(_LIST_TYPE), f"must be atomic as item of a list with {_LIST_TYPE}=set"
        )


def _map_items(items: Schema, keys: Any, at: str) -> Iterator[Cause]:
    if not keys:
        yield required(f"{at}.{_LIST_KEYS}", f"must not be empty if {_LIST_TYPE} is map")
    if items.get("type") != "object":
        yield invalid(
            f"{at}.items.type", items.get("type", ""), f"must be object if parent array's {_LIST_TYPE} is map"
        )
        return
    properties, wanted = items.get("properties") or {}, items.get("required") or ()
    for index, key in enumerate(keys):
        field = properties.get(key)
        if field is None:
            yield invalid(f"{at}.{_LIST_KEYS}[{index}]", key, "each key must be a property of the items")
        elif field.get("type") in ("object", "array"):
            yield invalid(
                f"{at}.items.properties[{key}].type",
                field["type"],
                f"must be a scalar type if parent array's {_LIST_TYPE} is map",
            )
        elif key not in wanted and "default" not in field:
            words = f"this property is in {_LIST_KEYS}, so it must have a default or be a required property"
            yield required(f"{at}.items.properties[{key}].default", words)


def _compositions(schema: Schema, at: str, depth: int, *, typed: bool = False) -> Iterator[Cause]:
    """`typed`: the field is int-or-string, whose alternatives may name the two types."""
    typed = typed or bool(schema.get(_INT_OR_STRING))
    for name in _COMPOSITIONS:
        for index, child in enumerate(schema.get(name) or ()):
            yield from _inner(child, f"{at}.{name}[{index}]", depth + 1, typed=typed)
    if isinstance(schema.get("not"), Mapping):
        yield from _inner(schema["not"], f"{at}.not", depth + 1, typed=typed)


def _inner(schema: Schema, at: str, depth: int, *, typed: bool) -> Iterator[Cause]:
    """What may not stand in allOf and the like: they check values, they do not shape them."""
    if depth > _DEEPEST:
        yield forbidden(at, f"a schema may not be nested more than {_DEEPEST} levels deep")
        return
    for name in _NOT_IN_COMPOSITIONS:
        allowed = typed and name == "type" and schema.get(name) in ("integer", "string")
        if schema.get(name) not in (None, "", False) and not allowed:
            words = "must be false to be structural" if name == PRESERVE else "must be empty to be structural"
            yield forbidden(f"{at}.{name}", words)
    for name, child in (schema.get("properties") or {}).items():
        yield from _inner(child, f"{at}.properties[{name}]", depth + 1, typed=False)
    if isinstance(schema.get("items"), Mapping):
        yield from _inner(schema["items"], f"{at}.items", depth + 1, typed=False)
    yield from _compositions(schema, at, depth, typed=typed)


def _defaults(schema: Schema, at: str) -> Iterator[Cause]:
    """A default must be valid itself, and hold nothing that would be pruned."""
    if "default" in schema:
        value = schema["default"]
        inside = dict(schema)
        inside.pop("default")
        kept, unknown = pruned({"default": value}, {"properties": {"default": inside}})
        if unknown:
            yield invalid(f"{at}.default", value, "must not have unknown fields")
        whole = defaulted(kept, {"properties": {"default": inside}})["default"]
        yield from check(whole, inside, f"{at}.default")
    for name, child in (schema.get("properties") or {}).items():
        yield from _defaults(child, f"{at}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            yield from _defaults(schema[name], f"{at}.{name}")
