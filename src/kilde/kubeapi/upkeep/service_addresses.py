"""IPAddress objects: one for each address that a Service holds, made and removed with it (upstream's ipallocator)."""

import contextlib
from collections.abc import Iterable, Mapping

from kilde.core.basics.values import Object
from kilde.kubeapi.allocations import held_addresses
from kilde.kubeapi.storage.journal import StorageBroken
from kilde.kubeapi.storage.records import Change, Key, Record
from kilde.kubeapi.world import World

_RESOURCE, _API_VERSION = "ipaddresses.networking.k8s.io", "networking.k8s.io/v1"
_FAMILY, _OWNER = "ipaddress.kubernetes.io/ip-family", "ipaddress.kubernetes.io/managed-by"
_ALLOCATOR = "ipallocator.k8s.io"
_OWNED: Object = {
    "f:metadata": {"f:labels": {".": {}, f"f:{_FAMILY}": {}, f"f:{_OWNER}": {}}},
    "f:spec": {"f:parentRef": {".": {}, "f:name": {}, "f:namespace": {}, "f:resource": {}}},
}


class ServiceAddresses:
    """Follows the Services of a store."""

    def __init__(self, world: World) -> None:
        self._world = world
        held = {
            address: record for record in world.store.all("services") for address in held_addresses(record.object())
        }
        for record in list(world.store.all(_RESOURCE)):
            self._drop_if_lost(record, held)
        for address, record in held.items():
            self._make(record, [address])
        world.store.follow("services", self._changed)

    def _drop_if_lost(self, record: Record, held: Mapping[str, Record]) -> None:
        """What a kill between the end of a Service and that of its address has left."""
        obj, service = record.object(), held.get(record.key.name)
        is_right = service is not None and obj["spec"]["parentRef"] == _reference(service.key)
        if not is_right and _is_allocated(obj):
            self._world.store.delete(record.key, obj)

    def _changed(self, change: Change) -> None:
        with contextlib.suppress(StorageBroken):  # the disk takes nothing: what is missing is made at the next start
            self._keep_step(change)

    def _keep_step(self, change: Change) -> None:
        before = held_addresses(change.before.object()) if change.before is not None else set[str]()
        after = held_addresses(change.after.object()) if change.after is not None else set[str]()
        for address in before - after:
            record = self._world.store.get(_key(address))
            if record is not None and _is_allocated(record.object()):
                self._world.store.delete(record.key, record.object())
        if change.after is not None:
            self._make(change.after, after - before)

    def _make(self, service: Record, addresses: Iterable[str]) -> None:
        for address in addresses:
            if self._world.store.get(_key(address)) is None:
                self._world.store.put(_key(address), self._address(address, service.key))

    def _address(self, address: str, service: Key) -> Object:
        now = self._world.now()
        family = "IPv6" if ":" in address else "IPv4"
        owner: Object = {"manager": "kube-apiserver", "operation": "Update", "apiVersion": _API_VERSION, "time": now}
        meta: Object = {
            "name": address,
            "uid": self._world.new_uid(),
            "creationTimestamp": now,
            "labels": {_FAMILY: family, _OWNER: _ALLOCATOR},
            "managedFields": [{**owner, "fieldsType": "FieldsV1", "fieldsV1": _OWNED}],
        }
        spec = {"parentRef": _reference(service)}
        return {"apiVersion": _API_VERSION, "kind": "IPAddress", "metadata": meta, "spec": spec}


def _reference(service: Key) -> Object:
    return {"resource": "services", "namespace": service.namespace, "name": service.name}


def _is_allocated(address: Object) -> bool:
    """Whether it was made here: others may make some, too."""
    return bool((address["metadata"].get("labels") or {}).get(_OWNER) == _ALLOCATOR)


def _key(address: str) -> Key:
    return Key(_RESOURCE, "", address)
