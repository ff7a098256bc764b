"""What a cluster has from its first moment because the API server itself makes it: namespaces, priority classes, its own Service."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.options import WriteOptions
from kilde.kubeapi.storage.records import Key
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
    for group, version in _group_versions(world):
        _ensure_api_service(world, group, version)


def _group_versions(world: World) -> list[tuple[str, str]]:
    catalog = world.kinds.catalog
    return [(group, version) for group in ("", *catalog.groups) for version in catalog.versions(group)]


def _ensure_api_service(world: World, group: str, version: str) -> None:
    """The APIService of a group and version that this server itself serves."""
    key = Key("apiservices.apiregistration.k8s.io", "", f"{version}.{group}")
    if world.store.get(key) is not None:
        return
    condition = {"type": "Available", "status": "True", "lastTransitionTime": world.now(), "reason": "Local"}
    meta = {"name": key.name, "uid": world.new_uid(), "creationTimestamp": world.now()}
    labels = {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    spec = {"version": version, "groupPriorityMinimum": 18_000 if group == "" else 17_000, "versionPriority": 1}
    obj: Object = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {**meta, "labels": labels},
        "spec": {"group": group, **spec} if group else spec,
        "status": {"conditions": [{**condition, "message": "Local APIServices are always available"}]},
    }
    world.store.put(key, obj)


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
