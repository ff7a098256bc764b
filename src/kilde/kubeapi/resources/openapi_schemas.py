"""The `components.schemas` of an OpenAPI v3 document: built-in kinds and what they refer to, and custom resources."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kilde.core.objects.typed.schema import Kind, Types, builtin
from kilde.kubeapi.resources.descriptions import describe
from kilde.kubeapi.resources.enums import enumerated, listed
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.openapi_defaults import completed

Schema = dict[str, Any]

SELECTABLE = "x-kubernetes-selectable-fields"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."

# What a CRD's document says of the fields every object has.
_STANDARD: Mapping[str, Schema] = {
    "apiVersion": {
        "type": "string",
        "description": (
            "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the"
            " latest internal value, and may reject unrecognized values. More info:"
            " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources"
        ),
    },
    "kind": {
        "type": "string",
        "description": (
            "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the"
            " client submits requests to. Cannot be updated. In CamelCase. More info:"
            " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds"
        ),
    },
}
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"


def reference(name: str) -> str:
    """The `$ref` of a definition in this document."""
    return f"#/components/schemas/{name}"


_OBJECT_META: Schema = {
    "allOf": [{"$ref": reference(META + "ObjectMeta")}],
    "description": f"Standard object's metadata. More info: {_CONVENTIONS}#metadata",
}
# The same of an object within a custom resource.
_EMBEDDED: Mapping[str, Schema] = {
    "apiVersion": {
        "type": "string",
        "description": (
            "apiVersion defines the versioned schema of this representation of an object. More info:"
            f" {_CONVENTIONS}#resources"
        ),
    },
    "kind": {
        "type": "string",
        "description": (
            "kind is a string value representing the type of this object. In CamelCase. More info:"
            f" {_CONVENTIONS}#types-kinds"
        ),
    },
    "metadata": _OBJECT_META,
}


def definition_name(resource: Resource, kind: str = "") -> str:
    """The schema's name of a resource's kind (or of a kind beside it, such as its list)."""
    kind = kind or resource.kind
    if resource.custom:
        return ".".join([*reversed(resource.group.split(".")), resource.version, kind])
    return builtin().kinds.get(Kind(resource.group, resource.version, kind), META + kind)


def body_name(resource: Resource, body: tuple[str, str, str]) -> str:
    """The schema's name of a sub-resource's body; "" if that kind has no schema (options of proxies and streams)."""
    group, version, kind = body
    if resource.custom and not version:
        return definition_name(resource, kind)
    key = Kind(group, version, kind) if version else Kind(resource.group, resource.version, kind)
    return builtin().kinds.get(key, "")


def referred(value: Any) -> Iterator[str]:
    """The names of the definitions that a part of a document refers to."""
    if isinstance(value, dict):
        link = value.get("$ref")
        if isinstance(link, str):
            yield link.removeprefix(reference(""))
        for child in value.values():
            yield from referred(child)
    elif isinstance(value, list):
        for child in value:
            yield from referred(child)


def closure(names: Iterable[str], types: Types | None = None) -> dict[str, Schema]:
    """These definitions and all they refer to."""
    types = types or builtin()
    known = set(types.names())
    found: dict[str, Schema] = {}
    waiting = [name for name in names if name in known]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _published(_described(name, completed(types, name, types.definition(name))), waiting)
    return found


def _described(name: str, schema: Schema) -> Schema:
    """The definition with its texts."""
    texts = describe(name)
    if "" in texts:
        schema = {"description": texts[""], **schema}
    if "properties" in schema:
        fields = schema["properties"]
        schema["properties"] = {
            key: {"description": texts[key], **child} if key in texts else child for key, child in fields.items()
        }
        for field, values in enumerated(name).items():
            child = schema["properties"].get(field.removesuffix("[]").removesuffix("{}"))
            if child is None:
                continue  # of a newer release
            part = "items" if field.endswith("[]") else "additionalProperties" if field.endswith("{}") else ""
            (child[part] if part else child)["enum"] = list(values)
            if not part:
                child["description"] = child.get("description", "") + listed(values)
    return schema


def _published(schema: Mapping[str, Any], seen: list[str]) -> Schema:
    """A definition as OpenAPI v3 writes it: a reference that is not alone stands in an allOf. Names it refers to are added to `seen`."""
    if "$ref" in schema:
        seen.append(schema["$ref"])
        link = {"$ref": reference(schema["$ref"])}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {"allOf": [link], **beside} if beside else link
    out: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            out[key] = {name: _published(child, seen) for name, child in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            out[key] = _published(value, seen)
        else:
            out[key] = value
    return out


def custom_schemas(resources: Iterable[tuple[Resource, Mapping[str, Any] | None]]) -> dict[str, Schema]:
    """The definitions of custom resources and of their lists."""
    found: dict[str, Schema] = {}
    for resource, schema in resources:
        found[definition_name(resource)] = _custom(resource, schema)
        found[definition_name(resource, resource.list_kind_name)] = _custom_list(resource, schema)
    return found


def _identity(resource: Resource, kind: str) -> list[Schema]:
    return [{"group": resource.group, "kind": kind, "version": resource.version}]


def _custom(resource: Resource, schema: Mapping[str, Any] | None) -> Schema:
    found = _told(schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    found["properties"] = {**(found.get("properties") or {}), **_STANDARD, "metadata": _OBJECT_META}
    found["x-kubernetes-group-version-kind"] = _identity(resource, resource.kind)
    return found


def _told(schema: Mapping[str, Any]) -> Schema:
    """A CRD's schema as it is published: what is a number or a text says so in OpenAPI's words, too."""
    found = dict(schema)
    if found.get("x-kubernetes-int-or-string") is True:
        found.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    if isinstance(found.get("properties"), Mapping):
        found["properties"] = {name: _told(child) for name, child in found["properties"].items()}
    for part in ("items", "additionalProperties"):
        if isinstance(found.get(part), Mapping):
            found[part] = _told(found[part])
    return _whole(found) if found.get("x-kubernetes-embedded-resource") is True else found


def _whole(schema: Schema) -> Schema:
    """The schema of a whole object within a custom resource, which has a version, a kind and metadata."""
    required = list(schema.get("required") or ())
    required += [name for name in ("kind", "apiVersion") if name not in required]
    return {
        **schema,
        "properties": {**(schema.get("properties") or {}), **_EMBEDDED},
        "required": required,
    }


def _custom_list(resource: Resource, schema: Mapping[str, Any] | None) -> Schema:
    items = {
        "type": "array",
        "description": f"List of {resource.plural}. More info: {_CONVENTIONS}",
        "items": {"$ref": reference(definition_name(resource))},
    }
    text = f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds"
    metadata = {"allOf": [{"$ref": reference(META + "ListMeta")}], "description": text}
    selectable = {SELECTABLE: schema[SELECTABLE]} if schema and SELECTABLE in schema else {}
    return {
        "type": "object",
        "description": f"{resource.list_kind_name} is a list of {resource.kind}",
        "required": ["items"],
        "properties": {**_STANDARD, "items": items, "metadata": metadata},
        "x-kubernetes-group-version-kind": _identity(resource, resource.list_kind_name),
        **selectable,
    }
