"""OpenAPI v2: what the documents of version 3 say, in the older form, of which there is one document for all groups."""

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

Value = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_KINDS = "x-kubernetes-group-version-kind"
_ACTION = "x-kubernetes-action"
_SELECTABLE = "x-kubernetes-selectable-fields"
_PRESERVED = "x-kubernetes-preserve-unknown-fields"
_V3_REFERENCE, _V2_REFERENCE = "#/components/schemas/", "#/definitions/"
_NOT_IN_V2 = ("default", "allOf", "oneOf", "anyOf", "not", "nullable")
_WITHOUT_BODIES = ("/.well-known/openid-configuration/", "/openid/v1/jwks/")
# Media types are told in the order of this list, those that it has not first.
_MEDIA = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_CUSTOM_MEDIA = {"application/json", "application/yaml"}
BEARER = {"type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header"}
_encode = msgspec.json.encode


def document(
    version: str, documents: Iterable[Mapping[str, Any]], custom: Collection[str], whole: Mapping[str, Any]
) -> Value:
    """What these documents of version 3 say, for a server of this minor.

    Definitions of the names in `custom` are of CRDs; those in `whole` are told as there, and not of one group's kinds alone.
    """
    paths, definitions, parameters = dict[str, Value](), dict[str, Value](), dict[str, Value]()
    for one in documents:
        for name, schema in one["components"].get("schemas", {}).items():
            if name not in definitions:
                definitions[name] = _custom(schema) if name in custom else _schema(whole.get(name, schema))
        for path, item in one["paths"].items():
            paths[path] = _item(path, item, parameters)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.items())),
        "parameters": dict(sorted(parameters.items())),
        "securityDefinitions": {"BearerToken": BEARER},
        "security": [{"BearerToken": []}],
    }


def _schema(schema: Mapping[str, Any]) -> Value:
    """A schema without what version 2 does not know: a field's type may be told by one reference alone."""
    found = {key: value for key, value in schema.items() if key not in _NOT_IN_V2}
    if "oneOf" in schema:
        found["type"] = "string"  # quantities, and what is a number or a text
    for reference in schema.get("allOf", ()):
        found |= reference
    if "$ref" in found:
        found["$ref"] = found["$ref"].replace(_V3_REFERENCE, _V2_REFERENCE)
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _schema(found[key])
    if "properties" in found:
        found["properties"] = {name: _schema(one) for name, one in found["properties"].items()}
    return found


def _custom(schema: Mapping[str, Any]) -> Value:
    """The schema of a CRD: old kubectls cannot do with fields of what may have others, nor with lists of anything."""
    if schema.get(_PRESERVED) is True and _KINDS in schema:
        return {"type": "object"} | {key: schema[key] for key in (_KINDS, _SELECTABLE) if key in schema}
    found = _schema({key: value for key, value in schema.items() if key not in ("items", "properties", "oneOf")})
    free, nullable = schema.get(_PRESERVED) is True, schema.get("nullable") is True
    if not free and not nullable:
        found |= _inside(schema)
    kind = schema.get("type")
    if nullable or (free and kind == "object") or (kind == "array" and "items" not in found):
        found.pop("type", None)
    if free and schema.get("x-kubernetes-embedded-resource") is True:
        found["required"] = [name for name in schema.get("required", ()) if name not in ("kind", "apiVersion")]
    if isinstance(schema.get("additionalProperties"), Mapping):
        found["additionalProperties"] = _custom(schema["additionalProperties"])
    nulls = [name for name, one in (schema.get("properties") or {}).items() if one.get("nullable") is True]
    required = [name for name in found.pop("required", ()) if name not in nulls]
    return found | ({"required": required} if required else {})


def _inside(schema: Mapping[str, Any]) -> Value:
    """What a CRD's schema says of what is in its objects or lists."""
    found: Value = {}
    if isinstance(schema.get("items"), Mapping):
        found["items"] = _custom(schema["items"])
    if "properties" in schema:
        found["properties"] = {name: _custom(one) for name, one in schema["properties"].items()}
    return found


def _item(path: str, item: Mapping[str, Any], shared: dict[str, Value]) -> Value:
    found: Value = {}
    for key, value in item.items():
        if key in _METHODS:
            found[key] = _operation(path, value, shared)
        else:
            found[key] = [_parameter(one, shared) for one in value] if key == "parameters" else value
    return found


def _operation(path: str, said: Mapping[str, Any], shared: dict[str, Value]) -> Value:
    body, responses, produced = said.get("requestBody"), dict[str, Value](), dict[str, None]()
    for code, response in said["responses"].items():
        content = response.get("content") or {}
        produced.update(dict.fromkeys(content))
        schema = next(iter(content.values()))["schema"] if content else None
        responses[code] = {"description": response["description"], **({"schema": _schema(schema)} if schema else {})}
    told = [_flat(one) for one in said.get("parameters", ())]
    bare = list(produced) if _ACTION not in said or set(produced) == _CUSTOM_MEDIA else ["*/*"]
    consumed = list(body["content"]) if body else bare
    if body:
        schema = next(iter(body["content"].values()))["schema"]
        needed = {"required": True} if body.get("required") else {}
        told.append({"name": "body", "in": "body", **needed, "schema": _schema(schema)})
    found = {key: value for key, value in said.items() if key not in ("requestBody", "responses", "parameters")}
    if path not in _WITHOUT_BODIES:
        found["consumes"] = _in_order(consumed)
    found |= {"produces": _in_order(produced), "schemes": ["https"], "responses": responses}
    if told:
        found["parameters"] = [_told(one, shared) for one in sorted(told, key=lambda one: one["name"])]
    return found


def _in_order(media: Iterable[str]) -> list[str]:
    return sorted(media, key=lambda one: _MEDIA.index(one) if one in _MEDIA else -1)


def _parameter(said: Mapping[str, Any], shared: dict[str, Value]) -> Value:
    return _told(_flat(said), shared)


def _flat(said: Mapping[str, Any]) -> Value:
    """A parameter with the words of its schema beside the others."""
    return _schema(said.get("schema") or {}) | {key: value for key, value in said.items() if key != "schema"}


def _told(parameter: Value, shared: dict[str, Value]) -> Value:
    """A reference to a parameter of all paths; the parameter itself where it is one kind's, or old kubectls look for it there."""
    name, place = parameter["name"], parameter["in"]
    own = name == "name" if place == "path" else name in ("dryRun", "fieldValidation", "name")
    if place == "body":
        own = not parameter["schema"].get("$ref", "").startswith(f"{_V2_REFERENCE}io.k8s.apimachinery")
    if own:
        return parameter
    digest = hashlib.sha512(_encode(parameter)).digest()
    key = f"{name}-{base64.urlsafe_b64encode(digest[:6]).decode()}"
    shared[key] = parameter
    return {"$ref": f"#/parameters/{key}"}
