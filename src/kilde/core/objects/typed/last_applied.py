"""The bridge from `kubectl apply` to server-side apply: the annotation that holds what was applied last."""

from typing import Any

import msgspec

from kilde.core.basics.values import Object
from kilde.core.objects.typed import merging
from kilde.core.objects.typed.field_set import FieldSet, difference
from kilde.core.objects.typed.go_json import go_json
from kilde.core.objects.typed.node import Node

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"

_EMPTY = FieldSet()
_IDENTITY = ("apiVersion", "kind", "status")


def text(config: Object) -> str:
    """What kubectl writes into the annotation: compact JSON with sorted keys, `<`, `>` and `&` escaped, and a line feed."""
    return go_json(_without_annotation(config)) + "\n"


def _annotations(obj: Object) -> dict[str, Any]:
    meta = obj.get("metadata")
    found = meta.get("annotations") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else {}


def _without_annotation(obj: Object) -> Object:
    annotations = _annotations(obj)
    if ANNOTATION not in annotations:
        return obj
    rest = {key: value for key, value in annotations.items() if key != ANNOTATION}
    return {**obj, "metadata": {**obj["metadata"], "annotations": rest}}


def rewritten(merged: Object, config: Object) -> Object:
    """The merged object with the annotation brought up to date, if it has one."""
    annotations = _annotations(merged)
    if not annotations.get(ANNOTATION):
        return merged
    said = text(config)
    if annotations[ANNOTATION] == said:
        return merged
    return {**merged, "metadata": {**merged["metadata"], "annotations": {**annotations, ANNOTATION: said}}}


def forgotten(node: Node, live: Object, wanted: Object) -> Object | None:
    """The live object without what the annotation says was applied and `wanted` no longer has; None where that is nothing.

    The annotation goes with it: from then on ownership tells what is ours.
    """
    said = _annotations(live).get(ANNOTATION)
    if not isinstance(said, str) or not said:
        return None
    try:
        config = msgspec.json.decode(said)
        if not isinstance(config, dict):
            return None
        spoken = {key: value for key, value in config.items() if key not in _IDENTITY}
        gone = difference(merging.paths_of(node, spoken), merging.paths_of(node, wanted))
        rest = merging.remove(node, live, gone) if gone else live
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if rest == live or not isinstance(rest, dict):
        return None
    return _without_annotation(rest)


def allowed(node: Node, live: Object) -> FieldSet:
    """The fields the annotation says kubectl set and that still are as it set them."""
    said = _annotations(live).get(ANNOTATION)
    if not isinstance(said, str) or not said:
        return _EMPTY
    try:
        config = msgspec.json.decode(said)
        if not isinstance(config, dict):
            return _EMPTY
        comparison = merging.compare(node, config, live)
        fields = merging.paths_of(node, config)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _EMPTY
    for part in comparison:
        fields = difference(fields, part)
    return FieldSet(fields)
