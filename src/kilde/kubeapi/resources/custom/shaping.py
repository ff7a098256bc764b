"""What the server does to a custom resource before it looks at its values: prunes unknown fields, fills in defaults, drops stray nulls.

The rules are apiextensions' structural schema algorithms (pruning, defaulting, PruneNonNullableNullsWithoutDefaults).
"""

import copy
from collections.abc import Mapping

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import builtin
from kilde.kubeapi.resources.custom.definition import PRESERVE, Schema

_EMBEDDED = "x-kubernetes-embedded-resource"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_TYPE_META = ("apiVersion", "kind")


def pruned(obj: Object, schema: Schema | None) -> tuple[Object, list[str]]:
    """The object without the fields its schema does not know, and the paths of those (`spec.list[0].bogus`), in order.

    Without a schema only metadata is looked at: its fields are the same for all objects.
    """
    root = dict(schema or {PRESERVE: True})
    root[_EMBEDDED] = True
    unknown: list[str] = []
    return _prune(obj, root, "", unknown), unknown


def has_unknown(value: Json, schema: Schema) -> bool:
    """Whether pruning would take something away from a value; what metadata has is not looked at."""
    unknown: list[str] = []
    _prune(value, schema, "", unknown, metadata=False)
    return bool(unknown)


def _prune(value: Json, schema: Schema, path: str, unknown: list[str], *, metadata: bool = True) -> Json:
    if isinstance(value, dict):
        return _prune_map(value, schema, path, unknown, metadata=metadata)
    if isinstance(value, list):
        items = schema.get("items") or {}  # of items that nobody knows nothing is known
        if schema.get(PRESERVE):
            items = {**items, PRESERVE: True}
        return [_prune(item, items, f"{path}[{index}]", unknown, metadata=metadata) for index, item in enumerate(value)]
    return value


def _prune_map(value: Object, schema: Schema, path: str, unknown: list[str], *, metadata: bool) -> Object:
    keep = bool(schema.get(PRESERVE))
    embedded, properties, extra = (
        bool(schema.get(_EMBEDDED)),
        schema.get("properties") or {},
        schema.get("additionalProperties"),
    )
    out: Object = {}
    for key, child in value.items():
        where = f"{path}.{key}" if path else key
        if embedded and key in _TYPE_META:
            out[key] = child
        elif embedded and key == "metadata":
            out[key] = _known(child, builtin().named(_OBJECT_META), where, unknown) if metadata else child
        elif key in properties:
            out[key] = _prune(child, properties[key], where, unknown, metadata=metadata)
        elif isinstance(extra, Mapping) or extra is True:
            out[key] = _prune(child, {} if extra is True else extra, where, unknown, metadata=metadata)
        elif keep:
            out[key] = child
        else:
            unknown.append(where)
    return out


def _known(value: Json, node: Node, path: str, unknown: list[str]) -> Json:
    """What a built-in type knows of a value."""
    if isinstance(value, dict) and node.map is not None:
        out: Object = {}
        for key, child in value.items():
            below = node.child(key)
            if below is None:
                unknown.append(f"{path}.{key}")
            else:
                out[key] = _known(child, below, f"{path}.{key}", unknown)
        return out
    if isinstance(value, list) and node.list is not None:
        items = node.list.items
        return [_known(item, items, f"{path}[{index}]", unknown) for index, item in enumerate(value)]
    return value


def defaulted(obj: Object, schema: Schema | None, *, nulls: bool = False) -> Object:
    """The object with the schema's defaults where nothing (or a null that may not be there) was written.

    Other nulls that may not be there go, as from a decoded body; with `nulls` they stay, as what an apply has merged, and are refused.
    """
    if schema is None:
        return obj
    found: Object = _default(obj, schema, nulls=nulls)
    return found


def _default(value: Json, schema: Schema, *, nulls: bool) -> Json:
    if isinstance(value, dict):
        return _default_map(value, schema, nulls=nulls)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        return [_default(item, items, nulls=nulls) for item in value]
    return value


def _default_map(value: Object, schema: Schema, *, nulls: bool) -> Object:
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    out: Object = {}
    for key, child in value.items():
        below = properties.get(key, extra if isinstance(extra, Mapping) else None)
        if below is None:
            out[key] = child
        elif child is not None or below.get("nullable") or (nulls and "default" not in below):
            out[key] = _default(child, below, nulls=nulls)
    for key, below in properties.items():
        if key not in out and "default" in below:
            out[key] = _default(copy.deepcopy(below["default"]), below, nulls=nulls)
    return out
