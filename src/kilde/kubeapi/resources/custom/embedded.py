"""Whole objects within a custom resource (`x-kubernetes-embedded-resource`): each has a version, a kind and metadata that could stand.

The rules are apiextensions' (apiserver/schema/objectmeta.Validate).
"""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, invalid, required
from kilde.kubeapi.resources.custom.definition import Schema
from kilde.kubeapi.resources.validation.metadata import check_metadata
from kilde.kubeapi.resources.validation.names import dns_1035_label, path_segment

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


def _whole(value: Object, at: str) -> Iterator[Cause]:
    for key in ("apiVersion", "kind"):
        where, text = f"{at}.{key}", value.get(key)
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
            yield Cause(f"{at}.{cause.field}", cause.reason, cause.message)
