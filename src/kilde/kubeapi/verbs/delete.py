"""delete: one object or a collection, at once or when its finalizers and its grace period let it."""

from kilde.core.basics.values import Object
from kilde.kubeapi import admission
from kilde.kubeapi.call import Call
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.deletion import CRDS, Verdict, end_definition, judge
from kilde.kubeapi.logic.options import DeleteOptions
from kilde.kubeapi.resources import custom
from kilde.kubeapi.resources.kinds import DELETE_ANSWERS_OBJECT
from kilde.kubeapi.resources.reading import as_read
from kilde.kubeapi.storage.records import Record, encode, record
from kilde.kubeapi.verbs.admit import check_namespace, finished
from kilde.kubeapi.world import World

_IMMORTAL = ("default", "kube-system", "kube-public")
# Kinds whose own deletion looks at preconditions, in other words.
_LOOK_THEMSELVES = frozenset(("namespaces", "customresourcedefinitions.apiextensions.k8s.io"))
_PENDING = (
    "True",
    "InstanceDeletionPending",
    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
)
_SYSTEM_CLASSES = ("system-node-critical", "system-cluster-critical")


def delete(world: World, call: Call, options: DeleteOptions, *, admitted: bool = True) -> tuple[Record, bool]:
    """Deletes an object, or marks it so: (its last state, whether it is gone). Admission is not asked unless `admitted`."""
    kind = call.kind
    check_protected(kind, call.name)
    check_namespace(world, call)
    existing = world.find(kind, call.namespace, call.name)
    if existing is None:
        raise failures.not_found(kind.about(call.name))
    return remove(world, call, existing, options, admitted=admitted)


def remove(
    world: World, call: Call, existing: Record, options: DeleteOptions, *, admitted: bool = True
) -> tuple[Record, bool]:
    """The same for an object that was found."""
    kind, old = call.kind, as_read(call.kind.storage, existing.object())
    check_preconditions(kind, old, options)
    if (
        admitted and not call.subresource
    ):  # an eviction has been judged as such: the DELETE that it makes is shown to nobody
        admission.removal(world, call, kind.presented(existing) if kind.resource.custom or kind.conversion else old)
    dry_run = options.dry_run or call.options.dry_run
    if kind.storage == CRDS and not old["metadata"].get("deletionTimestamp"):
        ended = end_definition(old, world.time())
        ended["status"] = custom.terminating_status(ended, _PENDING, world.now())
        return _marked(world, existing, Verdict(ended, gone=False), dry_run=dry_run), False
    verdict = judge(kind.storage, old, options, now=world.time())
    if verdict.gone:
        if dry_run:
            return existing, True
        gone = finished(verdict.object)
        if verdict.object != old:  # a pod's end is written before it is gone, which watches are told
            world.store.put(existing.key, gone)
        return world.store.delete(existing.key, gone), True
    return _marked(world, existing, verdict, dry_run=dry_run), False


def _marked(world: World, existing: Record, verdict: Verdict, *, dry_run: bool) -> Record:
    if verdict.object == as_read(existing.key.resource, existing.object()):
        return existing
    obj = finished(verdict.object)
    return record(existing.key, existing.version, encode(obj)) if dry_run else world.store.put(existing.key, obj)


def check_protected(kind: Kind, name: str) -> None:
    """403 for what the server itself needs."""
    if kind.storage == "namespaces" and name in _IMMORTAL:
        raise failures.forbidden(kind.about(name), "this namespace may not be deleted")
    if kind.storage == "priorityclasses.scheduling.k8s.io" and name in _SYSTEM_CLASSES:
        raise failures.forbidden(kind.about(name), "this is a system priority class and cannot be deleted")


def check_preconditions(kind: Kind, old: Object, options: DeleteOptions) -> None:
    """409 where the caller meant another object, or another state of it."""
    meta = old["metadata"]
    for what, wanted, found, fate in (
        ("UID", options.uid, meta["uid"], "deleted and then recreated"),
        ("ResourceVersion", options.version, meta["resourceVersion"], "modified"),
    ):
        if wanted is None or wanted == found:
            continue
        if kind.storage in _LOOK_THEMSELVES:
            why = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
            raise failures.conflict(kind.about(meta["name"]), why)
        why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found})"
        raise failures.conflict(kind.about_kind(meta["name"]), f"{why}. The object might have been {fate}")


def answers_object(kind: Kind) -> bool:
    """Whether a finished DELETE answers the object rather than a Status."""
    return (kind.resource.group, kind.resource.kind) in DELETE_ANSWERS_OBJECT


def deleted_status(kind: Kind, gone: Object) -> Object:
    """The Status that a finished DELETE answers."""
    details = {"name": gone["metadata"]["name"], "group": kind.resource.group, "kind": kind.resource.plural}
    details = {key: value for key, value in details.items() if value} | {"uid": gone["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def remove_if_there(world: World, call: Call, found: Record, options: DeleteOptions) -> None:
    """One object of a collection that is deleted: what is gone by now is no failure."""
    existing = world.store.get(found.key)
    if existing is not None:
        remove(world, call, existing, options)
