"""Whole objects within a custom resource (`x-kubernetes-embedded-resource`): each has a version, a kind and metadata that could stand.

The rules are apiextensions' (apiserver/schema/objectmeta.Validate).
"""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import go_decode
from kilde.core.objects.typed.schema import builtin
from kilde.kubeapi.resources.causes import Cause, invalid, required
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.validation.metadata import check_metadata
from kilde.kubeapi.resources.validation.names import dns_1035_label, path_segment

_GO_KINDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array"}
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_EMBEDDED = "x-kubernetes-embedded-resource"


def check_embedded(value: Json, schema: Schema, at: str) -> Iterator[Cause]:
    """What is wrong with the whole objects in a value; `at` is its field, "" for a custom resource itself."""
    if isinstance(value, dict):
        if schema.get(_EMBEDDED):
            yield from _whole(value, at)
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, child in value.items():
            if name in properties:
                yield from check_embedded(child, properties[name] or {}, f"{at}.{name}" if at else name)
            elif isinstance(extra, Mapping):
                yield from check_embedded(child, extra, f"{at}[{name}]")
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            yield from check_embedded(item, schema["items"], f"{at}[{index}]")


def malformed(value: Json, schema: Schema, at: str) -> Cause | None:
    """The first metadata of a whole object in a value that Go cannot read as such (apiserver/schema/objectmeta.Coerce)."""
    below: list[tuple[Json, Schema, str]] = []
    if isinstance(value, dict):
        told = _misread(value.get("metadata")) if schema.get(_EMBEDDED) else ""
        if told:
            return invalid(f"{at}.metadata" if at else "metadata", value["metadata"], told)
        properties = schema.get("properties") or {}
        below = [
            (one, properties[key] or {}, f"{at}.{key}" if at else key)
            for key, one in value.items()
            if key in properties
        ]
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        below = [(one, schema["items"], f"{at}[{index}]") for index, one in enumerate(value)]
    return next(filter(None, (malformed(*one) for one in below)), None)


def _misread(metadata: Json) -> str:
    """What Go's decoder says of metadata; nothing where it can read it."""
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        return f"json: cannot unmarshal {_GO_KINDS[type(metadata)]} into Go value of type v1.ObjectMeta"
    try:
        go_decode.decode(builtin().named(_OBJECT_META), metadata)
    except go_decode.WrongType as error:
        return error.what
    return ""


def _whole(value: Object, at: str) -> Iterator[Cause]:
    for key in ("apiVersion", "kind"):
        where, text = f"{at}.{key}" if at else key, value.get(key)
        if key not in value:
            yield required(where)
        elif not isinstance(text, str):
            yield invalid(where, text, "must be a string")
        elif not text:
            yield invalid(where, text, "must not be empty")
        elif key == "apiVersion" and text.count("/") > 1:
            yield invalid(where, text, f"unexpected GroupVersion string: {text}")
        elif key == "kind" and dns_1035_label(text.lower()):
            words = ",".join(dns_1035_label(text.lower()))
            yield invalid(where, text, f"may have mixed case, but should otherwise match: {words}")
    metadata = value.get("metadata")
    if isinstance(metadata, dict):
        named = {**metadata, "name": metadata.get("name") or "fakename"}  # a name is not asked for
        for cause in check_metadata(named, namespaced=bool(metadata.get("namespace")), name_rule=path_segment):
            yield Cause(f"{at}.{cause.field}" if at else cause.field, cause.reason, cause.message)
