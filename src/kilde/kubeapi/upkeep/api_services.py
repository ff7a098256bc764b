"""APIServices of what this server itself serves: of each version of a built-in group, and of those that CRDs serve."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic.options import WriteOptions
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.verbs.admit import finished, owned
from kilde.kubeapi.world import World

_SERVICES, _MANAGED = "apiservices.apiregistration.k8s.io", "kube-aggregator.kubernetes.io/automanaged"
_MANAGER = WriteOptions(manager="kube-apiserver")
_CUSTOM = (1000, 100)


def ensure(world: World, group: str, version: str, managed: str, priorities: tuple[int, int]) -> None:
    """Stores what is missing at once: nobody is asked about what the server itself keeps. `priorities` of the group and the version."""
    key = Key(_SERVICES, "", f"{version}.{group}")
    kind = world.kinds.named(_SERVICES)
    if kind is None or world.store.get(key) is not None:
        return
    now = world.now()
    local = {"type": "Available", "status": "True", "lastTransitionTime": now, "reason": "Local"}
    meta: Object = {"name": key.name, "uid": world.new_uid(), "creationTimestamp": now}
    spec: Object = {"group": group} if group else {}
    obj: Object = {
        "apiVersion": kind.resource.api_version,
        "kind": kind.resource.kind,
        "metadata": {**meta, "labels": {_MANAGED: managed}},
        "spec": {**spec, "version": version, "groupPriorityMinimum": priorities[0], "versionPriority": priorities[1]},
    }
    made = owned(Call(kind, "", key.name, options=_MANAGER), None, obj, now)
    made["status"] = {"conditions": [{**local, "message": "Local APIServices are always available"}]}
    world.store.put(key, finished(made))


def keep(world: World, served: set[tuple[str, str]]) -> list[Key]:
    """Makes those of what CRDs serve, (group, version); which are of what they serve no longer."""
    for group, version in sorted(served):
        ensure(world, group, version, "true", _CUSTOM)
    return [record.key for record in world.store.all(_SERVICES) if _is_left(record.object(), served)]


def _is_left(obj: Object, served: set[tuple[str, str]]) -> bool:
    spec, labels = obj["spec"], obj["metadata"].get("labels") or {}
    return labels.get(_MANAGED) == "true" and (spec.get("group"), spec.get("version")) not in served
