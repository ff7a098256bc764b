"""The kinds that are fuzzed, and three CRDs: one with every structural feature, one without a schema, one in two versions."""

from collections.abc import Callable
from dataclasses import dataclass

from differential import shapes
from differential.shapes import Dice, Object


@dataclass(frozen=True)
class Fuzzed:
    """One resource: where it is, what its objects look like, which sub-resources are written to."""

    api_version: str
    kind: str
    plural: str
    shape: Callable[[Dice], Object]
    namespaced: bool = True
    status: Callable[[Dice], Object] | None = None
    scale: bool = False
    custom: bool = False
    weight: int = 2

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        parts = [root, *(["namespaces", namespace] if self.namespaced else []), self.plural, name, subresource]
        return "/".join(part for part in parts if part)


def _replicas(dice: Dice) -> Object:
    condition = {"type": "Available", "status": dice.one("True", "False"), "reason": "r", "message": ""}
    return dice.some(replicas=dice.odd(1, -1), observedGeneration=1, conditions=[condition])


def _phase(dice: Dice) -> Object:
    return dice.some(phase=dice.one("Ready", "Nope", 5), conditions=[{"type": "Ready", "status": "True"}], replicas=3)


KINDS = (
    Fuzzed("v1", "ConfigMap", "configmaps", shapes.config_map, weight=3),
    Fuzzed("v1", "Secret", "secrets", shapes.secret),
    Fuzzed("v1", "Service", "services", shapes.service, weight=3),
    Fuzzed("v1", "ServiceAccount", "serviceaccounts", shapes.service_account, weight=1),
    Fuzzed("v1", "Pod", "pods", shapes.pod, weight=3),
    Fuzzed("v1", "PersistentVolumeClaim", "persistentvolumeclaims", shapes.claim),
    Fuzzed("v1", "PersistentVolume", "persistentvolumes", shapes.persistent_volume, namespaced=False),
    Fuzzed("apps/v1", "Deployment", "deployments", shapes.deployment, status=_replicas, scale=True, weight=5),
    Fuzzed("apps/v1", "StatefulSet", "statefulsets", shapes.stateful_set, scale=True, weight=3),
    Fuzzed("apps/v1", "DaemonSet", "daemonsets", shapes.daemon_set),
    Fuzzed("apps/v1", "ReplicaSet", "replicasets", shapes.replica_set, scale=True),
    Fuzzed("batch/v1", "Job", "jobs", shapes.job, weight=3),
    Fuzzed("batch/v1", "CronJob", "cronjobs", shapes.cron_job),
    Fuzzed("networking.k8s.io/v1", "Ingress", "ingresses", shapes.ingress, weight=3),
    Fuzzed("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", shapes.network_policy),
    Fuzzed("rbac.authorization.k8s.io/v1", "Role", "roles", shapes.role),
    Fuzzed("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", shapes.role_binding),
    Fuzzed("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", shapes.cluster_role, namespaced=False),
    Fuzzed("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", shapes.disruption_budget),
    Fuzzed("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", shapes.autoscaler),
    Fuzzed(
        "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", shapes.priority_class, namespaced=False, weight=1
    ),
    Fuzzed("storage.k8s.io/v1", "StorageClass", "storageclasses", shapes.storage_class, namespaced=False, weight=1),
    Fuzzed("coordination.k8s.io/v1", "Lease", "leases", shapes.lease, weight=1),
    Fuzzed("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", shapes.endpoint_slice, weight=1),
    Fuzzed("fuzz.test/v1", "Widget", "widgets", shapes.widget, status=_phase, scale=True, custom=True, weight=6),
    Fuzzed("fuzz.test/v1", "Bag", "bags", shapes.bag, custom=True),
    Fuzzed("fuzz.test/v1", "Gadget", "gadgets", shapes.gadget, custom=True),
    Fuzzed("fuzz.test/v2", "Gadget", "gadgets", shapes.gadget, custom=True),
)

_STRING: Object = {"type": "string"}
_ITEM: Object = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": _STRING, "value": _STRING, "n": {"type": "integer", "minimum": 0}},
}
_PORT: Object = {
    "type": "object",
    "required": ["port"],
    "properties": {"port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": _STRING},
}
_SPEC: Object = {
    "type": "object",
    "x-kubernetes-validations": [
        {"rule": "!has(self.low) || !has(self.high) || self.low <= self.high", "message": "low must not exceed high"},
        {"rule": "!has(self.mode) || !has(oldSelf.mode) || self.mode == oldSelf.mode", "message": "mode is immutable"},
    ],
    "properties": {
        "replicas": {"type": "integer", "minimum": 0, "maximum": 10},
        "name": {"type": "string", "minLength": 2, "maxLength": 8, "pattern": "^[a-z]+$"},
        "mode": {"type": "string", "enum": ["Fast", "Slow"]},
        "gmap": {"type": "object", "additionalProperties": _STRING},
        "amap": {"type": "object", "additionalProperties": _STRING, "x-kubernetes-map-type": "atomic"},
        "alist": {"type": "array", "items": _STRING, "x-kubernetes-list-type": "atomic"},
        "set": {"type": "array", "items": _STRING, "x-kubernetes-list-type": "set"},
        "mlist": {
            "type": "array",
            "items": _ITEM,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "ports": {
            "type": "array",
            "items": _PORT,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
        "nested": {
            "type": "object",
            "properties": {
                "x": {"type": "string", "default": "given"},
                "y": {"type": "object", "properties": {"z": _STRING, "w": {"type": "boolean"}}},
            },
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "ios": {"x-kubernetes-int-or-string": True},
        "when": {"type": "string", "format": "date-time"},
        "nul": {"type": "string", "nullable": True},
        "low": {"type": "integer", "default": 2},
        "high": {"type": "integer"},
    },
}
_CONDITION: Object = {"type": "object", "required": ["type"], "properties": {"type": _STRING, "status": _STRING}}
_STATUS: Object = {
    "type": "object",
    "properties": {
        "phase": _STRING,
        "replicas": {"type": "integer"},
        "conditions": {
            "type": "array",
            "items": _CONDITION,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    },
}
_SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def _definition(plural: str, kind: str, *versions: Object) -> Object:
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    spec = {"group": "fuzz.test", "scope": "Namespaced", "names": names, "versions": list(versions)}
    about = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**about, "metadata": {"name": f"{plural}.fuzz.test"}, "spec": spec}


def _version(name: str, schema: Object, *, storage: bool = True, **more: object) -> Object:
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}


def _gadget(extra: str) -> Object:
    fields: Object = {"size": {"type": "integer"}, "tags": {"type": "array", "items": _STRING}, extra: _STRING}
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}


DEFINITIONS = (
    _definition(
        "widgets",
        "Widget",
        _version(
            "v1",
            {"type": "object", "properties": {"spec": _SPEC, "status": _STATUS}},
            subresources={"status": {}, "scale": _SCALE},
        ),
    ),
    _definition("bags", "Bag", _version("v1", {"type": "object", "x-kubernetes-preserve-unknown-fields": True})),
    _definition(
        "gadgets", "Gadget", _version("v1", _gadget("color")), _version("v2", _gadget("colour"), storage=False)
    ),
)
