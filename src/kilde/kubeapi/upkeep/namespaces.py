"""The end of a namespace: everything in it is deleted, and when nothing is left, it goes."""

from kilde.core.basics.values import Object
from kilde.kubeapi.logic.namespaces import remaining
from kilde.kubeapi.storage.records import Change, Key, Record
from kilde.kubeapi.upkeep.garbage import uid_of
from kilde.kubeapi.upkeep.remove import remove
from kilde.kubeapi.webhooks.questions import Memory
from kilde.kubeapi.world import World

_FINALIZER = "kubernetes"


class Namespaces:
    """Knows the namespaces that are being deleted; `attend` does one round for one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ending: set[str] = set()
        self.waiting: dict[str, None] = {}
        for record in world.store.all("namespaces"):
            self._look(record.key.name, record.object())

    def changed(self, change: Change) -> None:
        """Notes a namespace that begins to end, and what is gone from one that ends."""
        if change.key.resource == "namespaces":
            if change.after is None:
                self._ending.discard(change.key.name)
            elif b'"deletionTimestamp"' in change.after.data:
                self._look(change.key.name, change.after.object())
        elif change.key.namespace in self._ending and change.after is None:
            self.waiting[change.key.namespace] = None

    def _look(self, name: str, namespace: Object) -> None:
        if namespace["metadata"].get("deletionTimestamp") and _FINALIZER in (
            (namespace.get("spec") or {}).get("finalizers") or ()
        ):
            if name not in self._ending:
                self.waiting[name] = None
            self._ending.add(name)

    def _tell(self, record: Record, namespace: Object, left: dict[str, list[Record]]) -> None:
        """Says in the namespace's conditions what it waits for."""
        status = namespace.setdefault("status", {})
        conditions = remaining(left, status.get("conditions") or [], self._world.now())
        if conditions != status.get("conditions"):
            status["conditions"] = conditions
            self._world.store.put(record.key, namespace)

    def attend(self, name: str, memory: Memory) -> None:
        """Deletes what is there; ends the namespace if nothing is. Waits."""
        record = self._world.store.get(Key("namespaces", "", name))
        if record is None or name not in self._ending:
            return
        left: dict[str, list[Record]] = {}
        for resource in self._world.store.resources():
            for found in list(self._world.store.all(resource, name)):
                if b'"deletionTimestamp"' not in found.data:
                    remove(self._world, found.key, uid=uid_of(found), memory=memory)
                still = self._world.store.get(found.key)
                if still is not None:
                    left.setdefault(resource, []).append(still)
        obj = record.object()
        if left:
            self._tell(record, obj, left)
            return
        obj["spec"] = {key: value for key, value in (obj.get("spec") or {}).items() if key != "finalizers"}
        if obj["metadata"].get("finalizers"):
            self._world.store.put(record.key, obj)
        else:
            self._world.store.delete(record.key, obj)
