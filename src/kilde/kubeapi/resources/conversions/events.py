"""Event v1 ↔ events.k8s.io/v1: the same fields under other names (kubernetes, pkg/apis/events/v1/conversion.go)."""

from collections.abc import Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import apply_defaults

CORE, NEWER = "v1", "events.k8s.io/v1"
_NEWER_NAMES: Mapping[str, str] = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_CORE_NAMES = {newer: core for core, newer in _NEWER_NAMES.items()}


def to_core(obj: Object) -> Object:
    """An event of either group as one of the core group."""
    return _as(CORE, _CORE_NAMES, obj)


def to_newer(obj: Object) -> Object:
    """An event of either group as one of events.k8s.io."""
    return _as(NEWER, _NEWER_NAMES, obj)


def _as(version: str, names: Mapping[str, str], obj: Object) -> Object:
    if obj.get("apiVersion") == version:
        return obj
    made = {names.get(key, key): value for key, value in obj.items()}
    return apply_defaults({**made, "apiVersion": version})
