"""create: POST of a new object."""

from kilde.core.basics.values import Object
from kilde.kubeapi import admission
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.metadata import born, check_namespace, meta, unborn
from kilde.kubeapi.resources import gates
from kilde.kubeapi.resources.reading import as_created
from kilde.kubeapi.storage.records import Key, Record, encode, record
from kilde.kubeapi.strategies import strategy_of
from kilde.kubeapi.verbs.admit import check_kind, check_new_content, finished, one_of_each_owner, owned, refuse, shaped
from kilde.kubeapi.world import World


def create(world: World, call: Call, obj: Object) -> Record:
    """Stores a decoded object (which is the verb's to change). ApiError where it cannot be."""
    return create_as(world, call, obj, own=True)


def create_as(world: World, call: Call, obj: Object, *, own: bool) -> Record:
    """The same; without `own` its managedFields are right already (an apply made them)."""
    kind = call.kind
    check_kind(kind, obj)
    check_namespace(obj, call.namespace, namespaced=kind.resource.namespaced)
    found = meta(obj)
    version = str(found.get("resourceVersion") or "")
    if version.isascii() and version.isdecimal() and version != "0" and not call.options.dry_run:
        raise failures.unexplained("resourceVersion should not be set on objects to be created")
    if own:
        one_of_each_owner(call, obj)
        found = meta(obj)
    check_new_content(world, call, str(found.get("name") or ""))
    unborn(obj)
    if kind.has_status and not kind.takes_status:
        obj.pop("status", None)
    obj = shaped(kind, obj, nulls=not own)
    strategy = strategy_of(kind.storage)
    strategy.complete(obj)
    if own:  # what is added from here on is nobody's
        obj = owned(call, None, obj, call.memory.once("now", world.now))

    def plug_ins(now: Object) -> None:
        strategy.admit_new(world, call, now)
        admission.before(world, call, now)

    plug_ins(obj)
    obj = admission.mutate(world, call, obj, None, plug_ins)
    _born(world, call, obj)
    one_of_each_owner(call, obj, admitted=True)
    gates.close(world.release.number, kind.storage, obj, None)
    strategy.prepare_new(world, call, obj)
    refuse(kind, obj, [*kind.problems_of_new(obj), *strategy.problems(world, call, obj, None)])
    for text in kind.warnings_of(obj, None):
        call.warn(text)
    kept = finished(
        as_created(kind.storage, kind.to_stored(obj))
    )  # before quotas are charged: a conversion may have to be waited for
    strategy.admit(world, call, obj, None)
    admission.after(world, call, obj, None)
    _check_free(world, call, obj)
    key = Key(kind.storage, call.namespace if kind.resource.namespaced else "", kept["metadata"]["name"])
    if call.options.dry_run:
        if version:  # what was sent is not taken away
            kept["metadata"]["resourceVersion"] = version
        return record(key, 0, encode(kept))
    return world.store.put(key, kept)


def _born(world: World, call: Call, obj: Object) -> None:
    """What every new object gets, once mutating admission has seen it."""
    memory, found = call.memory, meta(obj)
    nameless = bool(found.get("generateName")) and not found.get("name")
    suffix = memory.once("suffix", world.new_suffix) if nameless else ""
    now, uid = memory.once("now", world.now), memory.once("uid", world.new_uid)
    born(obj, now=now, uid=uid, generation=call.kind.has_generation, suffix=suffix)


def _check_free(world: World, call: Call, obj: Object) -> None:
    """409 if an object of that name is there already."""
    kind, name = call.kind, str(obj["metadata"]["name"])
    existing = world.find(kind, call.namespace, name)
    if existing is None:
        return
    about = kind.about(name)
    deleting = existing.object()["metadata"].get("deletionTimestamp")
    raise failures.being_deleted(about) if deleting else failures.already_exists(about)
