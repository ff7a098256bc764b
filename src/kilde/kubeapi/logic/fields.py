"""Field selectors: which fields of which kind may be selected, and what an object has there."""

from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.failures import bad_request

Read = Callable[[Object], str]

_META: Mapping[str, Read] = {
    "metadata.name": lambda obj: str(obj["metadata"].get("name") or ""),
    "metadata.namespace": lambda obj: str(obj["metadata"].get("namespace") or ""),
}


def _at(*path: str, default: str = "") -> Read:
    def read(obj: Object) -> str:
        value: Any = obj
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return default
        return ("true" if value else "false") if isinstance(value, bool) else str(value)

    return read


def _pod_ips(obj: Object) -> str:
    return ",".join(str(item.get("ip", "")) for item in (obj.get("status") or {}).get("podIPs") or ())


def _source(obj: Object) -> str:
    return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")


def _successful(obj: Object) -> str:
    return str((obj.get("status") or {}).get("succeeded") or 0)


_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_EVENT: Mapping[str, Read] = {
    **{f"involvedObject.{name}": _at("involvedObject", name) for name in _INVOLVED},
    "reason": _at("reason"),
    "type": _at("type"),
    "source": _source,
    "reportingComponent": _at("reportingComponent"),
}
# Fields of kinds that a group shows under names of its own (pkg/apis/events/v1/conversion.go).
SELECTABLE_BY_GROUP: Mapping[str, Mapping[str, Read]] = {
    "events.k8s.io": {
        **{f"regarding.{name}": _at("involvedObject", name) for name in _INVOLVED},
        "reason": _at("reason"),
        "type": _at("type"),
        "reportingController": _at("reportingComponent"),
    }
}
# Kinds with fields of their own (core/v1/conversion.go and registry/*/strategy.go); the rest know metadata.name and .namespace only.
_SELECTABLE: Mapping[str, Mapping[str, Read]] = {
    "pods": {
        **{
            f"spec.{name}": _at("spec", name)
            for name in ("nodeName", "restartPolicy", "schedulerName", "serviceAccountName")
        },
        "spec.hostNetwork": _at("spec", "hostNetwork", default="false"),
        "status.phase": _at("status", "phase"),
        "status.podIP": _at("status", "podIP"),
        "status.podIPs": _pod_ips,
        "status.nominatedNodeName": _at("status", "nominatedNodeName"),
    },
    "services": {"spec.clusterIP": _at("spec", "clusterIP"), "spec.type": _at("spec", "type")},
    "secrets": {"type": _at("type")},
    "namespaces": {"status.phase": _at("status", "phase")},
    "nodes": {"spec.unschedulable": _at("spec", "unschedulable", default="false")},
    "replicationcontrollers": {"status.replicas": _at("status", "replicas", default="0")},
    "events": _EVENT,
    "jobs.batch": {"status.successful": _successful},
    "certificatesigningrequests.certificates.k8s.io": {"spec.signerName": _at("spec", "signerName")},
    "resourceslices.resource.k8s.io": {
        "spec.nodeName": _at("spec", "nodeName"),
        "spec.driver": _at("spec", "driver"),
    },
}
# Of kinds without a namespace, those that say so when they are asked for one.
_NEVER_INSIDE = frozenset(
    ("namespaces", "nodes", "certificatesigningrequests.certificates.k8s.io", "resourceslices.resource.k8s.io")
)


def reader(storage: str, kind: str, label: str, custom: Mapping[str, Read] | None = None) -> Read:
    """How to read the field of that selector label from an object; 400 if the kind has none such. `custom` are a CRD's own."""
    own = _SELECTABLE.get(storage, {}) if custom is None else custom
    general = None if label == "metadata.namespace" and storage in _NEVER_INSIDE else _META.get(label)
    found = general or own.get(label)
    if found is None:
        raise _unknown(storage, kind, label, custom)
    return found


def _unknown(storage: str, kind: str, label: str, custom: Mapping[str, Read] | None) -> ApiError:
    if storage == "jobs.batch":
        return bad_request(f'field label "{label}" not supported for {kind}')
    if custom is not None:
        return bad_request(f"field label not supported: {label}")
    if storage == "resourceslices.resource.k8s.io":
        return bad_request(f"field label not supported for resource.k8s.io/v1, Kind={kind}: {label}")
    if storage in _SELECTABLE:
        return bad_request(f"field label not supported: {label}")
    return bad_request(f'"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"')
