"""What a cluster has from its first moment because the API server itself makes it: namespaces, priority classes, its own Service."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.options import WriteOptions
from kilde.kubeapi.upkeep import api_services
from kilde.kubeapi.verbs.create import create
from kilde.kubeapi.world import World

_MANAGER = WriteOptions(manager="kube-apiserver")
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def bootstrap(world: World) -> None:
    """Makes what is missing; what is there already is left as it is."""
    for namespace in NAMESPACES:
        _ensure(world, "namespaces", "", {"metadata": {"name": namespace}})
    for name, value, words in _PRIORITIES:
        body = {"metadata": {"name": name}, "value": value, "description": words}
        _ensure(world, "priorityclasses.scheduling.k8s.io", "", body)
    _ensure(world, "services", "default", _SERVICE)
    since = {
        "metadata": {"name": _TRACKING, "namespace": "kube-system"},
        "data": {"since": world.now().partition("T")[0]},
    }
    _ensure(world, "configmaps", "kube-system", since)
    for group, version in _group_versions(world):
        if group in _GROUP_PRIORITIES:
            first = 1 if group == "" else _VERSION_PRIORITIES.get((group, version), 15)
            api_services.ensure(world, group, version, "onstart", (_GROUP_PRIORITIES[group], first))


def _group_versions(world: World) -> list[tuple[str, str]]:
    catalog = world.kinds.catalog
    return [(group, version) for group in ("", *catalog.groups) for version in catalog.versions(group)]


def _ensure(world: World, resource: str, namespace: str, body: Object) -> None:
    kind = world.kinds.named(resource)
    if kind is None or world.find(kind, namespace, body["metadata"]["name"]) is not None:
        return
    body = {
        "apiVersion": kind.resource.api_version,
        "kind": kind.resource.kind,
        **body,
        "metadata": dict(body["metadata"]),
    }
    try:
        create(world, Call(kind, namespace, options=_MANAGER), body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


# What an aggregator registers for its own server's groups, as its priority in discovery.
_GROUP_PRIORITIES = {
    "": 18_000,
    "apps": 17_800,
    "events.k8s.io": 17_750,
    "authentication.k8s.io": 17_700,
    "authorization.k8s.io": 17_600,
    "autoscaling": 17_500,
    "batch": 17_400,
    "certificates.k8s.io": 17_300,
    "networking.k8s.io": 17_200,
    "policy": 17_100,
    "rbac.authorization.k8s.io": 17_000,
    "storage.k8s.io": 16_800,
    "admissionregistration.k8s.io": 16_700,
    "apiextensions.k8s.io": 16_700,
    "scheduling.k8s.io": 16_600,
    "coordination.k8s.io": 16_500,
    "node.k8s.io": 16_300,
    "discovery.k8s.io": 16_200,
    "resource.k8s.io": 16_200,
    "flowcontrol.apiserver.k8s.io": 16_100,
}
_VERSION_PRIORITIES = {
    ("autoscaling", "v2"): 30,
    ("flowcontrol.apiserver.k8s.io", "v1"): 21,
    ("resource.k8s.io", "v1"): 21,
}
_TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
_PRIORITIES = (
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
)
_SERVICE: Object = {
    "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
    "spec": {
        "clusterIP": "10.0.0.1",
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}],
    },
}
