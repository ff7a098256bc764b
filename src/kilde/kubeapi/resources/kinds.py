"""Which kinds an API server of Kubernetes 1.36 serves by itself, and what is particular to each; release.py has the older versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kilde.core.objects.ref import join_api_version

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")
PROXY_VERBS = ("create", "delete", "get", "patch", "update")
CREATE = ("create",)
SCALE = ("autoscaling", "v1", "Scale")

# Served twice, kept once: (group, plural) → where it is kept.
_GO_PACKAGES = {"": "core", "internal.apiserver.k8s.io": "apiserverinternal", "events.k8s.io": "core"}
_ALIASES = {("events.k8s.io", "events"): "events"}


@dataclass(frozen=True, slots=True)
class SubResource:
    """What lies behind `…/<plural>/<name>/<sub-resource>`: the kind of its body and what may be done with it.

    `body` is the (group, version, kind) of what is sent and answered; group and version are "" where they are the parent's.
    """

    name: str
    body: tuple[str, str, str]
    verbs: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """One resource of one group and version ("" is the core group). `plural` is its path segment."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sub_resources: tuple[SubResource, ...] = ()
    list_kind: str = ""
    custom: bool = False
    storage_version: str = ""

    @property
    def api_version(self) -> str:
        return join_api_version(self.group, self.version)

    @property
    def list_kind_name(self) -> str:
        """The kind of a list of these: `PodList`, or what a CRD names."""
        return self.list_kind or f"{self.kind}List"

    @property
    def go(self) -> str:
        """The type that a real server works with, in Go; that of a list ends in List."""
        return "unstructured.Unstructured" if self.custom else f"{go_package(self.group)}.{self.kind}"

    @property
    def stored_version(self) -> str:
        """The version in which objects are kept: for a CRD the one marked `storage`."""
        return self.storage_version or self.version

    @property
    def qualified(self) -> str:
        """As errors name it: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def kept_as(self) -> str:
        """The name under which the store keeps its objects, whatever group and version they were sent in."""
        return _ALIASES.get((self.group, self.plural), self.qualified)

    def sub_resource(self, name: str) -> SubResource | None:
        """The sub-resource of that name; None if it has none."""
        return next((sub for sub in self.sub_resources if sub.name == name), None)


def go_package(group: str) -> str:
    """Where a real server keeps the form of a group's kinds that it works with."""
    return _GO_PACKAGES.get(group) or group.partition(".")[0]


def status(kind: str) -> SubResource:
    """The usual `status` sub-resource, whose body is the object itself."""
    return SubResource("status", ("", "", kind), STATUS_VERBS)


def scale() -> SubResource:
    """The usual `scale` sub-resource."""
    return SubResource("scale", SCALE, STATUS_VERBS)


def _own(name: str, kind: str, verbs: tuple[str, ...] = STATUS_VERBS) -> SubResource:
    return SubResource(name, ("", "", kind), verbs)


# The order in which a real server lists its groups (by the priority of their APIServices); the core group is not among them.
GROUP_ORDER = (
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
)

_POD_SUB_RESOURCES = (
    _own("attach", "PodAttachOptions", ("create", "get")),
    _own("binding", "Binding", CREATE),
    _own("ephemeralcontainers", "Pod"),
    SubResource("eviction", ("policy", "v1", "Eviction"), CREATE),
    _own("exec", "PodExecOptions", ("create", "get")),
    _own("log", "Pod", ("get",)),
    _own("portforward", "PodPortForwardOptions", ("create", "get")),
    _own("proxy", "PodProxyOptions", PROXY_VERBS),
    _own("resize", "Pod"),
    status("Pod"),
)
_FINALIZE = _own("finalize", "Namespace", ("update",))
_TOKEN = SubResource("token", ("authentication.k8s.io", "v1", "TokenRequest"), CREATE)
_PLAIN_NAMESPACE = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")

# kind, plural, namespaced, short names, `all` or another category, sub-resources ("status" and "scale" are the usual ones), verbs
_Row = tuple[str, str, bool, str, str, tuple[str | SubResource, ...], tuple[str, ...]]


def _row(
    kind: str,
    plural: str,
    scope: str,
    short: str = "",
    category: str = "",
    subs: tuple[str | SubResource, ...] = (),
    verbs: tuple[str, ...] = ALL_VERBS,
) -> _Row:
    return kind, plural, scope == "namespaced", short, category, subs, verbs


_STATUS = ("status",)
_SCALED = ("scale", "status")
_NS, _CLUSTER = "namespaced", "cluster"

_ROWS: Mapping[tuple[str, str], tuple[_Row, ...]] = {
    ("", "v1"): (
        _row("Binding", "bindings", _NS, verbs=CREATE),
        _row("ComponentStatus", "componentstatuses", _CLUSTER, "cs", verbs=("get", "list")),
        _row("ConfigMap", "configmaps", _NS, "cm"),
        _row("Endpoints", "endpoints", _NS, "ep"),
        _row("Event", "events", _NS, "ev"),
        _row("LimitRange", "limitranges", _NS, "limits"),
        _row("Namespace", "namespaces", _CLUSTER, "ns", "", (_FINALIZE, "status"), _PLAIN_NAMESPACE),
        _row("Node", "nodes", _CLUSTER, "no", "", (_own("proxy", "NodeProxyOptions", PROXY_VERBS), "status")),
        _row("PersistentVolumeClaim", "persistentvolumeclaims", _NS, "pvc", "", _STATUS),
        _row("PersistentVolume", "persistentvolumes", _CLUSTER, "pv", "", _STATUS),
        _row("Pod", "pods", _NS, "po", "all", _POD_SUB_RESOURCES),
        _row("PodTemplate", "podtemplates", _NS),
        _row("ReplicationController", "replicationcontrollers", _NS, "rc", "all", _SCALED),
        _row("ResourceQuota", "resourcequotas", _NS, "quota", "", _STATUS),
        _row("Secret", "secrets", _NS),
        _row("ServiceAccount", "serviceaccounts", _NS, "sa", "", (_TOKEN,)),
        _row("Service", "services", _NS, "svc", "all", (_own("proxy", "ServiceProxyOptions", PROXY_VERBS), "status")),
    ),
    ("apiregistration.k8s.io", "v1"): (_row("APIService", "apiservices", _CLUSTER, "", "api-extensions", _STATUS),),
    ("apps", "v1"): (
        _row("ControllerRevision", "controllerrevisions", _NS),
        _row("DaemonSet", "daemonsets", _NS, "ds", "all", _STATUS),
        _row("Deployment", "deployments", _NS, "deploy", "all", _SCALED),
        _row("ReplicaSet", "replicasets", _NS, "rs", "all", _SCALED),
        _row("StatefulSet", "statefulsets", _NS, "sts", "all", _SCALED),
    ),
    ("events.k8s.io", "v1"): (_row("Event", "events", _NS, "ev"),),
    ("authentication.k8s.io", "v1"): (
        _row("SelfSubjectReview", "selfsubjectreviews", _CLUSTER, verbs=CREATE),
        _row("TokenReview", "tokenreviews", _CLUSTER, verbs=CREATE),
    ),
    ("authorization.k8s.io", "v1"): (
        _row("LocalSubjectAccessReview", "localsubjectaccessreviews", _NS, verbs=CREATE),
        _row("SelfSubjectAccessReview", "selfsubjectaccessreviews", _CLUSTER, verbs=CREATE),
        _row("SelfSubjectRulesReview", "selfsubjectrulesreviews", _CLUSTER, verbs=CREATE),
        _row("SubjectAccessReview", "subjectaccessreviews", _CLUSTER, verbs=CREATE),
    ),
    ("autoscaling", "v2"): (_row("HorizontalPodAutoscaler", "horizontalpodautoscalers", _NS, "hpa", "all", _STATUS),),
    ("autoscaling", "v1"): (_row("HorizontalPodAutoscaler", "horizontalpodautoscalers", _NS, "hpa", "all", _STATUS),),
    ("batch", "v1"): (
        _row("CronJob", "cronjobs", _NS, "cj", "all", _STATUS),
        _row("Job", "jobs", _NS, "", "all", _STATUS),
    ),
    ("certificates.k8s.io", "v1"): (
        _row(
            "CertificateSigningRequest",
            "certificatesigningrequests",
            _CLUSTER,
            "csr",
            "",
            (_own("approval", "CertificateSigningRequest"), "status"),
        ),
    ),
    ("networking.k8s.io", "v1"): (
        _row("IngressClass", "ingressclasses", _CLUSTER),
        _row("Ingress", "ingresses", _NS, "ing", "", _STATUS),
        _row("IPAddress", "ipaddresses", _CLUSTER, "ip"),
        _row("NetworkPolicy", "networkpolicies", _NS, "netpol"),
        _row("ServiceCIDR", "servicecidrs", _CLUSTER, "", "", _STATUS),
    ),
    ("policy", "v1"): (_row("PodDisruptionBudget", "poddisruptionbudgets", _NS, "pdb", "", _STATUS),),
    ("rbac.authorization.k8s.io", "v1"): (
        _row("ClusterRoleBinding", "clusterrolebindings", _CLUSTER),
        _row("ClusterRole", "clusterroles", _CLUSTER),
        _row("RoleBinding", "rolebindings", _NS),
        _row("Role", "roles", _NS),
    ),
    ("storage.k8s.io", "v1"): (
        _row("CSIDriver", "csidrivers", _CLUSTER),
        _row("CSINode", "csinodes", _CLUSTER),
        _row("CSIStorageCapacity", "csistoragecapacities", _NS),
        _row("StorageClass", "storageclasses", _CLUSTER, "sc"),
        _row("VolumeAttachment", "volumeattachments", _CLUSTER, "", "", _STATUS),
        _row("VolumeAttributesClass", "volumeattributesclasses", _CLUSTER, "vac"),
    ),
    ("admissionregistration.k8s.io", "v1"): (
        _row("MutatingAdmissionPolicy", "mutatingadmissionpolicies", _CLUSTER, "", "api-extensions"),
        _row("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", _CLUSTER, "", "api-extensions"),
        _row("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", _CLUSTER, "", "api-extensions"),
        _row("ValidatingAdmissionPolicy", "validatingadmissionpolicies", _CLUSTER, "", "api-extensions", _STATUS),
        _row("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", _CLUSTER, "", "api-extensions"),
        _row("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", _CLUSTER, "", "api-extensions"),
    ),
    ("apiextensions.k8s.io", "v1"): (
        _row("CustomResourceDefinition", "customresourcedefinitions", _CLUSTER, "crd crds", "api-extensions", _STATUS),
    ),
    ("scheduling.k8s.io", "v1"): (_row("PriorityClass", "priorityclasses", _CLUSTER, "pc"),),
    ("coordination.k8s.io", "v1"): (_row("Lease", "leases", _NS),),
    ("node.k8s.io", "v1"): (_row("RuntimeClass", "runtimeclasses", _CLUSTER),),
    ("discovery.k8s.io", "v1"): (_row("EndpointSlice", "endpointslices", _NS),),
    ("resource.k8s.io", "v1"): (
        _row("DeviceClass", "deviceclasses", _CLUSTER),
        _row("ResourceClaim", "resourceclaims", _NS, "", "", _STATUS),
        _row("ResourceClaimTemplate", "resourceclaimtemplates", _NS),
        _row("ResourceSlice", "resourceslices", _CLUSTER),
    ),
    ("flowcontrol.apiserver.k8s.io", "v1"): (
        _row("FlowSchema", "flowschemas", _CLUSTER, "", "", _STATUS),
        _row("PriorityLevelConfiguration", "prioritylevelconfigurations", _CLUSTER, "", "", _STATUS),
    ),
}


def _sub(entry: str | SubResource, kind: str) -> SubResource:
    if isinstance(entry, SubResource):
        return entry
    return scale() if entry == "scale" else status(kind)


def _builtin() -> Iterator[Resource]:
    for (group, version), rows in _ROWS.items():
        for kind, plural, namespaced, short, category, subs, verbs in rows:
            yield Resource(
                group,
                version,
                plural,
                kind.lower(),
                kind,
                namespaced,
                verbs,
                tuple(short.split()),
                (category,) if category else (),
                tuple(_sub(entry, kind) for entry in subs),
            )


BUILTIN: tuple[Resource, ...] = tuple(_builtin())

# Kinds whose metadata.generation the server does not keep (it stays absent, or what a client wrote).
WITHOUT_GENERATION = frozenset(
    {
        ("", "ConfigMap"),
        ("", "Endpoints"),
        ("", "Event"),
        ("", "LimitRange"),
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("", "ResourceQuota"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("apiregistration.k8s.io", "APIService"),
        ("apps", "ControllerRevision"),
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("coordination.k8s.io", "Lease"),
        ("events.k8s.io", "Event"),
        ("networking.k8s.io", "IPAddress"),
        ("networking.k8s.io", "ServiceCIDR"),
        ("node.k8s.io", "RuntimeClass"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("resource.k8s.io", "ResourceClaim"),
        ("resource.k8s.io", "ResourceClaimTemplate"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "CSIStorageCapacity"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "VolumeAttachment"),
        ("storage.k8s.io", "VolumeAttributesClass"),
    }
)

# Kinds for which a finished DELETE answers the object itself instead of a Status.
DELETE_ANSWERS_OBJECT = frozenset(
    {
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("", "Pod"),
        ("", "PodTemplate"),
        ("", "ResourceQuota"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("resource.k8s.io", "DeviceClass"),
        ("resource.k8s.io", "ResourceClaim"),
        ("resource.k8s.io", "ResourceClaimTemplate"),
        ("resource.k8s.io", "ResourceSlice"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "StorageClass"),
        ("storage.k8s.io", "VolumeAttachment"),
        ("storage.k8s.io", "VolumeAttributesClass"),
    }
)

# Kinds whose dependents a DELETE without a policy leaves alone; of all others they are collected in the background.
ORPHAN_BY_DEFAULT = frozenset({("batch", "Job"), ("", "ReplicationController")})
