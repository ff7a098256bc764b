"""What follows from a CRD besides its kinds: an APIService of each version that it serves, and its end, before which its objects go."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic.deletion import CRD_CLEANUP, CRDS
from kilde.kubeapi.resources import custom
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.upkeep import api_services
from kilde.kubeapi.upkeep.remove import remove
from kilde.kubeapi.verbs.admit import finished, owned
from kilde.kubeapi.verbs.update import store
from kilde.kubeapi.world import World

_IN_PROGRESS = ("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
_COMPLETED = ("False", "InstanceDeletionCompleted", "removed all instances")
_NEVER = ("False", "NeverEstablished", "resource was never established")


def told(crd: Object, old: Object, world: World) -> Object:
    """The CRD with managedFields that say who wrote its status: the API server, as anybody would."""
    kind = world.kinds.named(CRDS)
    if kind is None:
        raise LookupError(CRDS)
    call = Call(kind, "", crd["metadata"]["name"], "status", agent="kube-apiserver")
    return owned(call, old, crd, world.now())


def register(world: World) -> None:
    """Makes the APIServices of what CRDs serve, and takes away those of what they serve no longer."""
    specs = [record.object()["spec"] for record in world.store.all(CRDS)]
    served = {(spec["group"], one["name"]) for spec in specs for one in spec["versions"] if one.get("served")}
    for left in api_services.keep(world, served):
        found = world.store.get(left)
        if found is not None:
            remove(world, left, uid=found.object()["metadata"]["uid"], admitted=False)


class Endings:
    """The CRDs that are being deleted: they take their objects with them, and go when none is left."""

    def __init__(self, world: World) -> None:
        self._world = world

    def attend(self) -> Iterator[str]:
        """Does what is due; the resources of which something is left, which must be waited for."""
        for record in list(self._world.store.all(CRDS)):
            crd = record.object()
            meta = crd["metadata"]
            if not meta.get("deletionTimestamp") or CRD_CLEANUP not in (meta.get("finalizers") or ()):
                continue
            crd = self._tell(record, crd, _IN_PROGRESS)
            for found in list(self._world.store.all(meta["name"])):
                remove(self._world, found.key, uid=found.object()["metadata"]["uid"], admitted=False)
            if self._world.store.count(meta["name"]):
                yield meta["name"]
                continue
            kept = [name for name in meta["finalizers"] if name != CRD_CLEANUP]
            self._tell(record, crd, _COMPLETED if custom.is_served(crd) else _NEVER, finalizers=kept)

    def _tell(
        self, record: Record, crd: Object, words: tuple[str, str, str], finalizers: list[str] | None = None
    ) -> Object:
        """The CRD as it is stored with its condition, and with these finalizers."""
        status = custom.terminating_status(crd, words, self._world.now())
        new = {**crd, "status": status}
        if finalizers is not None:
            others = {key: value for key, value in crd["metadata"].items() if key != "finalizers"}
            new["metadata"] = {**others, "finalizers": finalizers} if finalizers else others
        if new == crd:
            return crd
        return store(self._world, record.key, finished(told(new, crd, self._world))).object()
