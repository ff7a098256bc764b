"""The kinds that are fuzzed, and three CRDs: one with every structural feature, one without a schema, one in two versions."""

from collections.abc import Callable
from dataclasses import dataclass

from differential import cluster_shapes as cluster
from differential import custom_shapes as custom
from differential import plain_shapes as plain
from differential import pod_shapes as pod
from differential import statuses
from differential import workload_shapes as workload
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
    alone: bool = False  # others of its sequence would be judged by what the real server has noticed of it by then

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        parts = [root, *(["namespaces", namespace] if self.namespaced else []), self.plural, name, subresource]
        return "/".join(part for part in parts if part)


_APPS, _NETWORK, _RBAC = "apps/v1", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1"
_STORAGE, _ADMISSION, _DEVICES = "storage.k8s.io/v1", "admissionregistration.k8s.io/v1", "resource.k8s.io/v1"
_HPA, _HPAS, _HOOKS = "HorizontalPodAutoscaler", "horizontalpodautoscalers", "webhookconfigurations"

KINDS = (
    Fuzzed("v1", "ConfigMap", "configmaps", plain.config_map, weight=3),
    Fuzzed("v1", "Secret", "secrets", plain.secret),
    Fuzzed("v1", "Service", "services", plain.service, status=statuses.service, weight=3),
    Fuzzed("v1", "ServiceAccount", "serviceaccounts", plain.service_account, weight=1, alone=True),
    Fuzzed("v1", "Pod", "pods", pod.pod, weight=3),
    Fuzzed("v1", "PersistentVolumeClaim", "persistentvolumeclaims", plain.claim),
    Fuzzed(
        "v1",
        "PersistentVolume",
        "persistentvolumes",
        plain.persistent_volume,
        namespaced=False,
        status=statuses.volume,
    ),
    Fuzzed("v1", "PodTemplate", "podtemplates", cluster.pod_template, weight=1),
    Fuzzed("v1", "Endpoints", "endpoints", cluster.endpoints),
    Fuzzed("v1", "LimitRange", "limitranges", cluster.limit_range, alone=True),
    Fuzzed("v1", "ResourceQuota", "resourcequotas", cluster.resource_quota, status=statuses.quota, alone=True),
    Fuzzed("v1", "Namespace", "namespaces", cluster.namespace, namespaced=False, status=statuses.namespace, weight=1),
    Fuzzed("v1", "Node", "nodes", cluster.node, namespaced=False, status=statuses.node, weight=1),
    Fuzzed(
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        cluster.replication_controller,
        status=statuses.replica_set,
        scale=True,
    ),
    Fuzzed(_APPS, "Deployment", "deployments", workload.deployment, status=statuses.deployment, scale=True, weight=5),
    Fuzzed(
        _APPS, "StatefulSet", "statefulsets", workload.stateful_set, status=statuses.stateful_set, scale=True, weight=3
    ),
    Fuzzed(_APPS, "DaemonSet", "daemonsets", workload.daemon_set, status=statuses.daemon_set),
    Fuzzed(_APPS, "ReplicaSet", "replicasets", workload.replica_set, status=statuses.replica_set, scale=True),
    Fuzzed(_APPS, "ControllerRevision", "controllerrevisions", cluster.revision, weight=1),
    Fuzzed("batch/v1", "Job", "jobs", workload.job, weight=3),
    Fuzzed("batch/v1", "CronJob", "cronjobs", workload.cron_job, status=statuses.cron_job),
    Fuzzed(_NETWORK, "Ingress", "ingresses", plain.ingress, status=statuses.ingress, weight=3),
    Fuzzed(_NETWORK, "NetworkPolicy", "networkpolicies", plain.network_policy),
    Fuzzed(_NETWORK, "IngressClass", "ingressclasses", cluster.ingress_class, namespaced=False, weight=1),
    Fuzzed(_RBAC, "Role", "roles", plain.role),
    Fuzzed(_RBAC, "RoleBinding", "rolebindings", plain.role_binding),
    Fuzzed(_RBAC, "ClusterRole", "clusterroles", plain.cluster_role, namespaced=False),
    Fuzzed(_RBAC, "ClusterRoleBinding", "clusterrolebindings", cluster.cluster_role_binding, namespaced=False),
    Fuzzed(
        "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", workload.disruption_budget, status=statuses.budget
    ),
    Fuzzed("autoscaling/v2", _HPA, _HPAS, workload.autoscaler, status=statuses.autoscaler),
    Fuzzed("autoscaling/v1", _HPA, _HPAS, cluster.old_autoscaler, weight=1),
    Fuzzed(
        "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", plain.priority_class, namespaced=False, weight=1
    ),
    Fuzzed("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", cluster.runtime_class, namespaced=False, weight=1),
    Fuzzed(_STORAGE, "StorageClass", "storageclasses", plain.storage_class, namespaced=False, weight=1),
    Fuzzed(_STORAGE, "CSIDriver", "csidrivers", cluster.csi_driver, namespaced=False, weight=1),
    Fuzzed(_STORAGE, "CSINode", "csinodes", cluster.csi_node, namespaced=False, weight=1),
    Fuzzed(_STORAGE, "CSIStorageCapacity", "csistoragecapacities", cluster.csi_capacity, weight=1),
    Fuzzed(
        _STORAGE,
        "VolumeAttachment",
        "volumeattachments",
        cluster.attachment,
        namespaced=False,
        status=statuses.attachment,
        weight=1,
    ),
    Fuzzed(
        _STORAGE,
        "VolumeAttributesClass",
        "volumeattributesclasses",
        cluster.attributes_class,
        namespaced=False,
        weight=1,
    ),
    Fuzzed(
        _ADMISSION,
        "ValidatingWebhookConfiguration",
        f"validating{_HOOKS}",
        cluster.webhooks,
        namespaced=False,
        weight=1,
    ),
    Fuzzed(
        _ADMISSION,
        "MutatingWebhookConfiguration",
        f"mutating{_HOOKS}",
        cluster.mutating_webhooks,
        namespaced=False,
        weight=1,
    ),
    Fuzzed(
        _ADMISSION,
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        cluster.admission_policy,
        namespaced=False,
        status=statuses.admission_policy,
    ),
    Fuzzed(
        _ADMISSION,
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        cluster.policy_binding,
        namespaced=False,
        weight=1,
    ),
    Fuzzed(_DEVICES, "ResourceClaim", "resourceclaims", cluster.resource_claim, status=statuses.resource_claim),
    Fuzzed(_DEVICES, "ResourceClaimTemplate", "resourceclaimtemplates", cluster.resource_claim_template, weight=1),
    Fuzzed(_DEVICES, "DeviceClass", "deviceclasses", cluster.device_class, namespaced=False, weight=1),
    Fuzzed(
        "certificates.k8s.io/v1",
        "CertificateSigningRequest",
        "certificatesigningrequests",
        cluster.signing_request,
        namespaced=False,
        status=statuses.signing_request,
        weight=1,
    ),
    Fuzzed("coordination.k8s.io/v1", "Lease", "leases", plain.lease, weight=1),
    Fuzzed("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", plain.endpoint_slice, weight=1),
    Fuzzed(
        "fuzz.test/v1", "Widget", "widgets", custom.widget, status=statuses.widget, scale=True, custom=True, weight=6
    ),
    Fuzzed("fuzz.test/v1", "Bag", "bags", custom.bag, custom=True),
    Fuzzed("fuzz.test/v1", "Gadget", "gadgets", custom.gadget, custom=True),
    Fuzzed("fuzz.test/v2", "Gadget", "gadgets", custom.gadget, custom=True),
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
