"""What the schema of a CRD's version must be like: structural, with defaults that fit, and of the parts of OpenAPI that are served.

The rules and texts are apiextensions' (validateCustomResourceDefinitionValidation in apis/apiextensions/validation).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kilde.core.basics.values import Json
from kilde.kubeapi.resources.causes import NO_FIELD, Cause, forbidden, invalid, invalid_unshown, not_supported, required
from kilde.kubeapi.resources.custom.cost import Budget, times_below
from kilde.kubeapi.resources.custom.definition import PRESERVE, Schema
from kilde.kubeapi.resources.custom.embedded import check_embedded, malformed
from kilde.kubeapi.resources.custom.rules import check_rules, leads_somewhere
from kilde.kubeapi.resources.custom.shaping import defaulted, has_unknown, pruned
from kilde.kubeapi.resources.custom.structural import (
    EMBEDDED,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    RULES,
    check_structural,
    child,
    clauses,
    properties,
)
from kilde.kubeapi.resources.custom.values import check

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_DEEPEST = 100
_LIST_TYPES, _MAP_TYPES = ("atomic", "set", "map"), ("atomic", "granular")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_LINES = re.compile(r"[\n\r]")
_NOT_SERVED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_OWN = ("metadata", "kind", "apiVersion")
# The keywords that may not stand at the root of a schema whose status is written apart.
_NOT_BESIDE_STATUS = (
    *("id", "$schema", "$ref", "nullable", "default", "enum", "maxProperties", "minProperties"),
    *("allOf", "oneOf", "anyOf", "not", "additionalProperties", "patternProperties", "dependencies"),
    *("additionalItems", "definitions"),
    *(EMBEDDED, "x-kubernetes-int-or-string", LIST_KEYS, LIST_TYPE, MAP_TYPE),
)
_BESIDE_STATUS = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems"
    " UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations"
)


class _Place(NamedTuple):
    """Where a schema stands: its field, the budget of all rules, whether it is the root, whether within the metadata of a whole object,
    whether a default may not stand there (the reason), or rules are not looked at, and within which field old values cannot be found."""

    at: str
    budget: Budget
    root: bool = False
    meta: bool = False
    no_default: str = ""
    rules: bool = True
    times: int | None = 1  # how often such a value can be in an object; None: without bound
    lost: str = ""


def check_schema(schema: Schema, at: str, *, status: bool = False, same: bool = False) -> list[Cause]:
    """What keeps this schema from being that of a custom resource; `at` is its field, `status` whether the status is written apart.

    `same`: it is what the version had before, so that no rule is too expensive that was not.
    """
    if _is_too_deep(schema):
        return [forbidden(at, f"a schema may not be nested more than {_DEEPEST} levels deep")]
    causes = list(_beside_status(schema, at)) if status else []
    if schema.get("nullable"):
        causes.append(forbidden(f"{at}.nullable", "nullable cannot be true at the root"))
    unstructured = _cannot_be_structural(schema)
    shape = (
        []
        if unstructured
        else check_structural(schema, at) or list(_defaults({**schema, EMBEDDED: True}, at, _Around({})))
    )
    rules: list[Cause] = []
    causes += shape
    budget = Budget(same)
    causes += _openapi(schema, _Place(at, budget, root=True, rules=not (shape or unstructured)), rules)
    causes += rules
    if not causes and unstructured:
        causes.append(invalid(at, "", unstructured))
    causes.extend(budget.told(at))
    return causes


def _is_too_deep(schema: Schema) -> bool:
    level: Sequence[Schema] = (schema,)
    for _ in range(_DEEPEST + 1):
        level = [below for one in level for _, below in _children(one)]
        if not level:
            return False
    return True


def _children(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """(path below the schema, schema) of every schema right within it, clauses too."""
    for name in ("properties", "definitions", "patternProperties"):
        yield from ((f"{name}[{key}]", one or {}) for key, one in (schema.get(name) or {}).items())
    items = schema.get("items")
    if isinstance(items, list):
        yield from ((f"items[{index}]", one or {}) for index, one in enumerate(items))
    for name in ("items", "additionalProperties"):
        below = child(schema, name)
        if below is not None:
            yield name, below
    yield from ((path, one) for path, _, one in clauses(schema))


def _cannot_be_structural(schema: Schema) -> str:
    """Why a schema has no structural form at all: it uses what the form has no place for; "" where it has one."""
    for key in ("id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"):
        if schema.get(key) or (key == "additionalItems" and schema.get(key) is not None):
            return f"OpenAPIV3Schema '{'schema' if key == '$schema' else key}' is not supported"
    if schema.get(PRESERVE) is False:
        return f"internal error: '{PRESERVE}' must be true or undefined"
    if isinstance(schema.get("items"), list) and schema["items"]:
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    return next((why for _, one in _children(schema) if (why := _cannot_be_structural(one))), "")


def _beside_status(schema: Schema, at: str) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    if kind and kind != "object":
        words = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield invalid(f"{at}.type", kind, words)
    elif any(schema.get(key) for key in _NOT_BESIDE_STATUS):
        words = (
            f"only [{_BESIDE_STATUS}] fields are allowed at the root of the schema if the status subresource is enabled"
        )
        yield invalid_unshown(at, words)  # the server prints its own struct there


def _openapi(schema: Schema, place: _Place, rules: list[Cause]) -> list[Cause]:
    """What is wrong with a schema and those within; what is wrong with CEL rules goes to `rules`, which come last."""
    at = place.at
    causes = [*_keywords(schema, place), *_combined(schema, at)]
    for path, below in _children(schema):
        causes += _openapi(below, _below(schema, place, path), rules)
    causes += [*_relations(schema, at), *_map_list(schema, at), *_keys(schema, at), *_rule_texts(schema, at)]
    if not causes and place.rules:
        whole = place.root or bool(schema.get(EMBEDDED))
        rules.extend(check_rules(schema, at, place.budget, place.times, root=whole, lost=place.lost))
    return causes


def _below(schema: Schema, place: _Place, path: str) -> _Place:
    at, kind = f"{place.at}.{path}", path.partition("[")[0]
    place = place._replace(times=times_below(schema, place.times), lost=place.lost or _loses(schema, kind, place.at))
    if kind == "properties":
        name = path[len("properties[") : -1]
        meta = place.meta or ((place.root or bool(schema.get(EMBEDDED))) and name in _OWN)
        reason = f"in top-level {name}" if place.root and name in _OWN else place.no_default
        return place._replace(at=at, root=False, meta=meta, no_default=reason)
    if kind == "additionalProperties" and place.meta:
        reason = "inside additionalProperties applying to object metadata"
        return place._replace(at=at, root=False, no_default=reason)
    return place._replace(at=at, root=False, rules=place.rules and kind in ("items", "additionalProperties"))


def _loses(schema: Schema, kind: str, at: str) -> str:
    """The schema's field, if what was within its values before an update cannot be told apart: items of a list that is no map."""
    if kind.partition("[")[0] == "items":
        return at if schema.get(LIST_TYPE) != "map" else ""
    return at if kind == "properties" and schema.get(MAP_TYPE) not in (None, *_MAP_TYPES) else ""


def _keywords(schema: Schema, place: _Place) -> Iterator[Cause]:
    at, kind = place.at, schema.get("type")
    if kind and kind not in _TYPES:
        yield not_supported(f"{at}.type", kind, _TYPES)
    if schema.get("default") is not None and place.no_default:
        yield forbidden(f"{at}.default", f"must not be set {place.no_default}")
    for name in _NOT_SERVED:
        if schema.get(name) or (name in ("additionalItems", "dependencies", "$ref") and schema.get(name) is not None):
            yield forbidden(f"{at}.{name}", f"{name} is not supported")
    if kind == "null":
        yield forbidden(f"{at}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list) and schema["items"]:
        yield forbidden(f"{at}.items", "items must be a schema object and not an array")
    if place.meta and schema.get(EMBEDDED):
        yield forbidden(f"{at}.{EMBEDDED}", "must not be used inside of resource meta")


def _combined(schema: Schema, at: str) -> Iterator[Cause]:
    if schema.get("uniqueItems"):
        words = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{at}.uniqueItems", words)
    extra = schema.get("additionalProperties")
    if schema.get("properties") and (extra is False or isinstance(extra, Mapping)):
        yield forbidden(f"{at}.additionalProperties", "additionalProperties and properties are mutual exclusive")


def _relations(schema: Schema, at: str) -> Iterator[Cause]:
    kind, relation, of_map = schema.get("type") or "", schema.get(LIST_TYPE), schema.get(MAP_TYPE)
    if schema.get(PRESERVE) is False:
        yield invalid(f"{at}.{PRESERVE}", value=False, detail="must be true or undefined")
    if of_map is not None and kind != "object":
        words = f"must be object if {MAP_TYPE} is specified"
        yield invalid(f"{at}.type", kind, words) if kind else required(f"{at}.type", words)
    if of_map is not None and of_map not in _MAP_TYPES:
        yield not_supported(f"{at}.{MAP_TYPE}", of_map, _MAP_TYPES)
    if relation is not None and kind != "array":
        words = f"must be array if {LIST_TYPE} is specified"
        yield invalid(f"{at}.type", kind, words) if kind else required(f"{at}.type", words)
    elif relation == "set":
        yield from _set_items(child(schema, "items") or {}, f"{at}.items")
    if relation is not None and relation not in _LIST_TYPES:
        yield not_supported(f"{at}.{LIST_TYPE}", relation, _LIST_TYPES)
    if schema.get(LIST_KEYS) and relation != "map":
        words = f"must be map if {LIST_KEYS} is non-empty"
        where = f"{at}.{LIST_TYPE}"
        yield required(where, words) if relation is None else invalid(where, relation, words)


def _set_items(items: Schema, at: str) -> Iterator[Cause]:
    words = f"must be atomic as item of a list with {LIST_TYPE}=set"
    if items.get("type") == "array" and items.get(LIST_TYPE) not in (None, "atomic"):
        yield invalid(f"{at}.{LIST_TYPE}", items[LIST_TYPE], words)
    if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        yield invalid(f"{at}.{MAP_TYPE}", items.get(LIST_TYPE), words)  # the list type is what the server quotes


def _map_list(schema: Schema, at: str) -> Iterator[Cause]:
    if schema.get(LIST_TYPE) != "map":
        return
    keys, items = schema.get(LIST_KEYS) or (), child(schema, "items")
    if not keys:
        yield required(f"{at}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    if schema.get("items") is None:
        yield required(f"{at}.items", f"must have a schema if {LIST_TYPE} is map")
    elif items is None:
        yield invalid(f"{at}.items", schema["items"], f"must only have a single schema if {LIST_TYPE} is map")
    elif items.get("type") != "object":
        words = f"must be object if parent array's {LIST_TYPE} is map"
        yield invalid(f"{at}.items.type", items.get("type") or "", words)
    else:
        fields = dict(properties(items))
        for index, key in enumerate(keys):
            if key not in fields:
                yield invalid(f"{at}.{LIST_KEYS}", list(keys), "entries must all be names of item properties")
            elif fields[key].get("type") in ("array", "object"):
                words = f"must be a scalar type if parent array's {LIST_TYPE} is map"
                yield invalid(f"{at}.items.properties[{key}].type", "object", words)
            if key in keys[:index]:
                yield invalid(f"{at}.{LIST_KEYS}", list(keys), "must not contain duplicate entries")


def _keys(schema: Schema, at: str) -> Iterator[Cause]:
    """What identifies an item must be there in each."""
    relation, items = schema.get(LIST_TYPE), child(schema, "items")
    if items is None or relation not in ("set", "map"):
        return
    if items.get("nullable"):
        yield forbidden(f"{at}.items.nullable", f"cannot be nullable when {LIST_TYPE} is {relation}")
    fields, needed = dict(properties(items)), items.get("required") or ()
    for key in (schema.get(LIST_KEYS) or ()) if relation == "map" else ():
        where, field = f"{at}.items.properties[{key}]", fields.get(key)
        if field is None:
            continue
        if key not in needed and field.get("default") is None:
            words = f"this property is in {LIST_KEYS}, so it must have a default or be a required property"
            yield required(f"{where}.default", words)
        if field.get("nullable"):
            yield forbidden(f"{where}.nullable", f"this property is in {LIST_KEYS}, so it cannot be nullable")


def _rule_texts(schema: Schema, at: str) -> Iterator[Cause]:
    """What is wrong with the rules of a schema before they are compiled."""
    for index, rule in enumerate(schema.get(RULES) or ()):
        where = f"{at}.{RULES}[{index}]"
        text, message = str(rule.get("rule") or ""), str(rule.get("message") or "")
        if not text.strip():
            yield required(f"{where}.rule", "rule is not specified")
        elif message and not message.strip():
            yield invalid(f"{where}.message", message, "must be non-empty if specified")
        elif _LINES.search(message.strip()):
            yield invalid(f"{where}.message", message, "must not contain line breaks")
        elif _LINES.search(text.strip()) and not message:
            yield required(f"{where}.message", "message must be specified if rule contains line breaks")
        if rule.get("messageExpression") and not rule["messageExpression"].strip():
            yield required(f"{where}.messageExpression", "messageExpression must be non-empty if specified")
        if rule.get("reason") is not None and rule["reason"] not in _REASONS:
            yield not_supported(f"{where}.reason", rule["reason"], _REASONS)
        yield from _field_path(str(rule.get("fieldPath") or ""), schema, f"{where}.fieldPath")


def _field_path(path: str, schema: Schema, at: str) -> Iterator[Cause]:
    if path and not path.strip():
        yield invalid(at, path, "must be non-empty if specified")
    if _LINES.search(path):
        yield invalid(at, path, "must not contain line breaks")
    if path and not _cannot_be_structural(schema) and not leads_somewhere(path, schema):
        yield invalid(at, path, "must be a valid path")


class _Around(NamedTuple):
    """Where a schema is within that of a whole object: the way there (None: into a list), and whether it is what all objects have."""

    whole: Schema
    way: tuple[str | None, ...] = ()
    own: bool = False

    def below(self, step: str | None) -> "_Around":
        return self._replace(way=(*self.way, step), own=self.own or (not self.way and step in _OWN))


def _defaults(schema: Schema, at: str, around: _Around) -> Iterator[Cause]:
    """A default must be valid itself, and hold nothing that would be pruned; those in additionalProperties are not looked at."""
    if schema.get(EMBEDDED):
        around = _Around(schema)
    if schema.get("default") is not None:
        inside = {key: one for key, one in schema.items() if key != "default"}
        yield from (_default_of_all if around.own else _default)(schema["default"], inside, f"{at}.default", around)
    items = child(schema, "items")
    if items is not None:
        yield from _defaults(items, f"{at}.items", around.below(None))
    for name, below in properties(schema):
        yield from _defaults(below, f"{at}.properties[{name}]", around.below(name))


def _default(value: Json, inside: Schema, where: str, _: _Around) -> Iterator[Cause]:
    if has_unknown(value, inside):
        yield invalid(where, value, "must not have unknown fields")
    broken = malformed(value, inside, where)
    yield from [broken] if broken else list(check_embedded(value, inside, where)) or _unfit(value, inside, where)


def _default_of_all(value: Json, inside: Schema, where: str, around: _Around) -> Iterator[Cause]:
    """A default in what all objects have must make up an object that could stand."""
    made = value
    for step in reversed(around.way):
        made = [made] if step is None else {step: made}
    obj = {"apiVersion": "validation/v1", "kind": "Validation", **made}
    broken = malformed(obj, around.whole, "")
    faults = [f"{one.field}: {one.message}" for one in ([broken] if broken else check_embedded(obj, around.whole, ""))]
    if faults:
        told = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        yield invalid(where, value, f"must result in valid metadata: {told}")
    else:
        yield from _unfit(value, inside, where)


def _unfit(value: Json, inside: Schema, where: str) -> Iterator[Cause]:
    kept = pruned({"default": value}, {"properties": {"default": inside}})[0]
    whole = defaulted(kept, {"properties": {"default": inside}})["default"]
    return (_within(cause, where) for cause in check(whole, inside))


def _within(cause: Cause, at: str) -> Cause:
    """What is wrong in a default, whose message goes by the default's own fields."""
    below = "" if cause.field in ("", NO_FIELD) else f".{cause.field}"
    return Cause(f"{at}{below}", cause.reason, cause.message)
