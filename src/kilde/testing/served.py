"""What FakeCluster serves from the start: the kinds that stories are made of. More can be added, CRDs add themselves."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import builtin, from_openapi
from kilde.ports.cluster import Resource

_VERBS: Final = frozenset({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})
_KINDS: Final = """
v1 Namespace namespaces no
v1 Node nodes no
v1 PersistentVolume persistentvolumes no
v1 ConfigMap configmaps yes
v1 Secret secrets yes
v1 Service services yes
v1 ServiceAccount serviceaccounts yes
v1 Pod pods yes
v1 PersistentVolumeClaim persistentvolumeclaims yes
v1 Event events yes
v1 ResourceQuota resourcequotas yes
v1 LimitRange limitranges yes
apps/v1 Deployment deployments yes
apps/v1 StatefulSet statefulsets yes
apps/v1 DaemonSet daemonsets yes
apps/v1 ReplicaSet replicasets yes
batch/v1 Job jobs yes
batch/v1 CronJob cronjobs yes
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers yes
autoscaling/v1 HorizontalPodAutoscaler horizontalpodautoscalers yes
policy/v1 PodDisruptionBudget poddisruptionbudgets yes
networking.k8s.io/v1 Ingress ingresses yes
networking.k8s.io/v1 NetworkPolicy networkpolicies yes
rbac.authorization.k8s.io/v1 Role roles yes
rbac.authorization.k8s.io/v1 RoleBinding rolebindings yes
rbac.authorization.k8s.io/v1 ClusterRole clusterroles no
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings no
storage.k8s.io/v1 StorageClass storageclasses no
coordination.k8s.io/v1 Lease leases yes
scheduling.k8s.io/v1 PriorityClass priorityclasses no
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions no
"""
_STATELESS: Final = frozenset(
    {
        *(
            "ConfigMap",
            "Secret",
            "ServiceAccount",
            "Event",
            "LimitRange",
            "NetworkPolicy",
            "Role",
            "RoleBinding",
            "Lease",
        ),
        *("ClusterRole", "ClusterRoleBinding", "StorageClass", "PriorityClass"),
    }
)


class FakeDiscovery:
    """Keeps ports.cluster.Discovery's promises over a table that never changes."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._kinds: dict[GroupKind, list[Resource]] = {}
        for resource in resources:
            self._kinds.setdefault(resource.group_kind, []).append(resource)

    def resource(self, group: str, kind: str, version: str = "") -> Resource | None:
        found = self._kinds.get(GroupKind(group, kind), [])
        return next((resource for resource in found if version in ("", resource.version)), None)

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        return tuple(resource.version for resource in self._kinds.get(GroupKind(group, kind), []))

    def all(self) -> Sequence[Resource]:
        return [found[0] for found in self._kinds.values()]


class Served:
    """The kinds a FakeCluster serves now, with their types."""

    def __init__(self) -> None:
        self._resources: list[Resource] = []
        self._nodes: dict[tuple[GroupKind, str], Node] = {}
        self._with_status: set[GroupKind] = set()
        for line in _KINDS.split("\n"):
            if line:
                api_version, kind, plural, namespaced = line.split()
                group, _, version = api_version.rpartition("/")
                self.add(_resource(group, version, kind, plural, namespaced=namespaced == "yes"))
                if kind not in _STATELESS:
                    self._with_status.add(GroupKind(group, kind))

    def add(self, resource: Resource, schema: Object | None = None, *, has_status: bool = False) -> None:
        """Serves one more kind; `schema` is its openAPIV3Schema (built-in kinds have theirs)."""
        self._resources = [known for known in self._resources if _key(known) != _key(resource)]
        self._resources.append(resource)
        node = builtin().node(resource.group, resource.version, resource.kind)
        self._nodes[_key(resource)] = node or from_openapi(schema)
        if has_status:
            self._with_status.add(resource.group_kind)

    def define(self, definition: Object) -> None:
        """Serves what a CustomResourceDefinition defines."""
        spec: dict[str, Any] = definition.get("spec") or {}
        names = spec.get("names") or {}
        for version in spec.get("versions") or ():
            if version.get("served"):
                made = _resource(
                    spec.get("group", ""),
                    version.get("name", ""),
                    names.get("kind", ""),
                    names.get("plural", ""),
                    namespaced=spec.get("scope") == "Namespaced",
                )
                schema = (version.get("schema") or {}).get("openAPIV3Schema")
                self.add(made, schema, has_status="status" in (version.get("subresources") or {}))

    def discovery(self) -> FakeDiscovery:
        return FakeDiscovery(self._resources)

    def knows(self, resource: Resource) -> bool:
        return _key(resource) in self._nodes

    def node(self, resource: Resource) -> Node:
        return self._nodes[_key(resource)]

    def has_status(self, resource: Resource) -> bool:
        """Whether status is a sub-resource of its own, which writes of the object leave alone."""
        return resource.group_kind in self._with_status


def _key(resource: Resource) -> tuple[GroupKind, str]:
    return (resource.group_kind, resource.version)


def _resource(group: str, version: str, kind: str, plural: str, *, namespaced: bool) -> Resource:
    return Resource(group, version, kind, plural, namespaced, _VERBS, singular=kind.lower())
