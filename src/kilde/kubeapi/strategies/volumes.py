"""PersistentVolumes and their claims: protected while they are in use, and the default storage class."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _protect(obj: Object, finalizer: str) -> None:
    meta = obj["metadata"]
    found = list(meta.get("finalizers") or [])
    if finalizer not in found:
        meta["finalizers"] = [*found, finalizer]


class Claims(Strategy):
    """A claim gets its finalizer, and the default class if it names none."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        _protect(obj, "kubernetes.io/pvc-protection")
        spec = obj.get("spec")
        if isinstance(spec, dict) and spec.get("storageClassName") is None:
            name = default_class(world)
            if name:
                spec["storageClassName"] = name


class Volumes(Strategy):
    """A volume gets its finalizer."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        _protect(obj, "kubernetes.io/pv-protection")

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        status = obj["status"] = dict(obj.get("status") or {})
        status["phase"] = "Pending"
        status["lastPhaseTransitionTime"] = world.now()


def default_class(world: World) -> str:
    """The newest StorageClass that is marked as default; "" if there is none."""
    marked = []
    for record in world.store.all("storageclasses.storage.k8s.io"):
        meta = record.object()["metadata"]
        if (meta.get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
            marked.append((meta["creationTimestamp"], meta["name"]))
    if not marked:
        return ""
    newest = max(time for time, _ in marked)
    return min(name for time, name in marked if time == newest)
