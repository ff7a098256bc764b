"""The writes that upkeep makes: deletions and the removal of finalizers and owners, as the controller manager makes them."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call, User
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.options import DeleteOptions, WriteOptions
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.verbs.admit import finished, owned
from kilde.kubeapi.verbs.delete import delete
from kilde.kubeapi.verbs.update import store
from kilde.kubeapi.webhooks.questions import Memory
from kilde.kubeapi.world import World

MANAGER = "kube-controller-manager"
_USER = User("system:kube-controller-manager", ("system:masters", "system:authenticated"))


def call_for(world: World, key: Key, memory: Memory | None = None) -> Call | None:
    """A call about a stored object; None if its kind is not served any longer."""
    kind = world.kinds.named(key.resource)
    if kind is None:
        return None
    options = WriteOptions(manager=MANAGER)
    return Call(kind, key.namespace, key.name, options=options, user=_USER, memory=memory or Memory())


def remove(
    world: World,
    key: Key,
    *,
    uid: str,
    propagation: str = "Background",
    memory: Memory | None = None,
    admitted: bool = True,
) -> None:
    """Deletes an object if it is still the one with that uid. Waits, unless admission is not asked (`admitted`)."""
    call = call_for(world, key, memory)
    if call is None:
        return
    try:
        delete(world, call, DeleteOptions(propagation=propagation, uid=uid), admitted=admitted)
    except ApiError as error:
        if error.status not in (403, 404, 409):
            raise


def rewrite(world: World, key: Key, metadata: Object) -> None:
    """Stores an object with these fields of metadata (None: without); it is gone if that was the last thing to hold it."""
    call, record = call_for(world, key), world.store.get(key)
    if call is None or record is None:
        return
    old, new = record.object(), record.object()
    for field, value in metadata.items():
        if value:
            new["metadata"][field] = value
        else:
            new["metadata"].pop(field, None)
    if new != old:
        store(world, key, finished(owned(call, old, new, world.now())))
