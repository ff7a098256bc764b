"""Declared: what a schema tells rules of its values: types, how many elements at most, how few bytes at least (cel/common/schemas.go)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kilde.core.objects.cel.inference import Scope
from kilde.core.objects.cel.types import SIMPLE, Type, list_of, map_of, optional, struct
from kilde.kubeapi.resources.custom.definition import Schema

MOST_BYTES = 3 * 1024 * 1024  # of a request
_LONGEST = MOST_BYTES - 2  # a string's quotes count
_DURATION, _DATE, _TIME = 32, 12, 32
_ESCAPED = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_WORDS = "true false null in as break const continue else for function if import let loop package namespace return var void while"
_RESERVED = frozenset(_WORDS.split())


@dataclass(frozen=True)
class Declared:
    """`kind` is that of the values in CEL; `most` counts characters, items or entries; `least` are bytes of JSON."""

    kind: str
    most: int = 0
    least: int = 2
    item: "Declared | None" = None
    fields: Mapping[str, "Declared"] = field(default_factory=dict)

    def below(self, step: str) -> "Declared | None":
        """What a field, `@items`, `@values` or `@keys` of it is."""
        if step in ("@items", "@values"):
            return self.item
        if step == "@keys":
            return TEXT if self.kind == "map" else None
        return self.fields.get(step)

    @property
    def times(self) -> int:
        """How often such a value can be in one request at most."""
        return MOST_BYTES // (self.least + 1)


TEXT = Declared("string")
_SIMPLE = {
    "boolean": Declared("bool", least=4),
    "number": Declared("double", least=1),
    "integer": Declared("int", least=1),
}
_NAMED: dict[str, Any] = {"type": "object", "properties": {key: {"type": "string"} for key in ("name", "generateName")}}
_WHOLE: dict[str, Any] = {"kind": {"type": "string"}, "apiVersion": {"type": "string"}, "metadata": _NAMED}


def declared(schema: Schema, *, root: bool = False) -> Declared | None:
    """What is declared of a schema's values; None if rules cannot see them. `root`: of a whole object."""
    longest = schema.get("maxLength")
    if schema.get("x-kubernetes-int-or-string"):
        return Declared("dyn", _LONGEST if longest is None else max(longest, 0) * 4, 1)
    if root and not _is_whole(schema):
        schema = {**schema, "type": "object", "properties": {**(schema.get("properties") or {}), **_WHOLE}}
    kind = schema.get("type")
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return _map(schema) if isinstance(schema.get("additionalProperties"), Mapping) else _object(schema)
    return _text(schema) if kind == "string" else _SIMPLE.get(str(kind))


def _is_whole(schema: Schema) -> bool:
    """Whether a schema tells itself what every object has."""
    told = schema.get("properties") or {}
    metadata = told.get("metadata") or {}
    named = metadata.get("properties") or {}
    texts = (told.get("kind"), told.get("apiVersion"), named.get("name"), named.get("generateName"))
    return metadata.get("type") == "object" and all(one is not None and one.get("type") == "string" for one in texts)


def scope_of(shape: Declared, *, optional_old: bool = False) -> Scope:
    """What rules over such values can name. `optional_old`: what was there before may be missing."""
    structs: dict[str, Mapping[str, Type]] = {}
    one = type_of(shape, "selfType", structs)
    return Scope({"self": one, "oldSelf": optional(one) if optional_old else one}, structs)


def type_of(shape: Declared, name: str, structs: dict[str, Mapping[str, Type]]) -> Type:
    """The type of such values; objects are called `name`, and what is in them after it. Their fields are put into `structs`."""
    if shape.kind == "object":
        structs[name] = {key: type_of(below, f"{name}.{key}", structs) for key, below in shape.fields.items()}
        return struct(name)
    if shape.item is None:
        return SIMPLE[shape.kind]
    if shape.kind == "list":
        return list_of(type_of(shape.item, f"{name}.@idx", structs))
    return map_of(SIMPLE["string"], type_of(shape.item, f"{name}.@elem", structs))


def _inner(schema: Schema) -> Declared | None:
    return declared(schema, root=bool(schema.get("x-kubernetes-embedded-resource")))


def _array(schema: Schema) -> Declared | None:
    items = schema.get("items")
    item = _inner(items) if isinstance(items, Mapping) else None
    if item is None:
        return None
    most = schema.get("maxItems")
    return Declared("list", _LONGEST // (item.least + 1) if most is None else max(most, 0), item=item)


def _map(schema: Schema) -> Declared | None:
    item = _inner(schema["additionalProperties"])
    if item is None:
        return None
    most = schema.get("maxProperties")
    return Declared("map", _LONGEST // (item.least + 6) if most is None else max(most, 0), item=item)


def _object(schema: Schema) -> Declared:
    needed = schema.get("required") or ()
    fields: dict[str, Declared] = {}
    least = 2
    for name, child in (schema.get("properties") or {}).items():
        found = _inner(child)
        if found is None:
            continue
        fields[escaped(name)] = found
        if name in needed and child.get("default") is None:
            least += len(name.encode()) + found.least + 4
    return Declared("object", 0, least, fields=fields)


def _text(schema: Schema) -> Declared:
    longest, form = schema.get("maxLength"), schema.get("format")
    if form == "byte":
        return Declared("bytes", _LONGEST if longest is None else max(longest, 0))
    if form == "duration":
        return Declared("duration", _DURATION, 3)
    if form in ("date", "date-time"):
        return Declared("timestamp", _DATE if form == "date" else _TIME, 12 if form == "date" else 21)
    if longest is not None:
        return Declared("string", max(longest, 0) * 4)
    words = schema.get("enum") or ()
    return Declared(
        "string", max((len(one.encode()) for one in words if isinstance(one, str)), default=0) if words else _LONGEST
    )


def escaped(name: str) -> str:
    """A field's name as expressions write it."""
    if name in _RESERVED:
        return f"__{name}__"
    for part, word in _ESCAPED:
        name = name.replace(part, word)
    return name
