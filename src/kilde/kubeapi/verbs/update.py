"""update: PUT of an object or its status, and the second half of every patch."""

from kilde.core.basics.values import Json, Object
from kilde.core.objects.null_bytes import NullBytes
from kilde.core.objects.typed.managers import in_order
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.values import same
from kilde.kubeapi import admission
from kilde.kubeapi.call import Call
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.metadata import carried_over, check_name, meta
from kilde.kubeapi.logic.sameness import same_but_times
from kilde.kubeapi.resources import gates
from kilde.kubeapi.resources.causes import Cause, Tolerated
from kilde.kubeapi.storage.records import Key, Record, encode, record
from kilde.kubeapi.strategies import strategy_of
from kilde.kubeapi.verbs.admit import check_kind, check_namespace, finished, one_of_each_owner, owned, refuse, shaped
from kilde.kubeapi.verbs.create import create
from kilde.kubeapi.verbs.parts import PARTS
from kilde.kubeapi.world import World

# How some kinds count generations: never again after the first, with metadata or labels too, and from nothing.
_NEVER_COUNTED = frozenset(("priorityclasses.scheduling.k8s.io",))
_COUNT_LABELS = frozenset(("endpointslices.discovery.k8s.io",))
_COUNTS_FROM_NOTHING = "csidrivers.storage.k8s.io"
# Go's own comparison, to which an empty list or map is another value than none: what is stored has none.
_COUNTS_EMPTY = {
    "networkpolicies.networking.k8s.io": "spec",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": "webhooks",
    "validatingwebhookconfigurations.admissionregistration.k8s.io": "webhooks",
}
# Kinds of which a write must say what it was made from, as it must of custom ones; only a JSON patch can take that away.
_ADMISSION = "admissionregistration.k8s.io"
_CONDITIONAL = frozenset(
    {
        *(
            (_ADMISSION, f"{kind}AdmissionPolicy{part}")
            for kind in ("Mutating", "Validating")
            for part in ("", "Binding")
        ),
        *((_ADMISSION, f"{kind}WebhookConfiguration") for kind in ("Mutating", "Validating")),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("coordination.k8s.io", "Lease"),
        ("node.k8s.io", "RuntimeClass"),
        ("policy", "PodDisruptionBudget"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "CSIStorageCapacity"),
        ("storage.k8s.io", "VolumeAttachment"),
    }
)
_EMPTY_IS_A_CHANGE = {"configmaps": ("binaryData",), "secrets": ("data",)}
_RBAC = "rbac.authorization.k8s.io"
_APPLIED_STATUS = "validatingadmissionpolicies.admissionregistration.k8s.io"
_CREATE_ON_UPDATE = frozenset(
    (
        *("endpoints", "events", "limitranges", "services", "runtimeclasses.node.k8s.io"),
        *("leases.coordination.k8s.io", "leasecandidates.coordination.k8s.io"),
        *(f"{plural}.{_RBAC}" for plural in ("roles", "clusterroles", "rolebindings", "clusterrolebindings")),
    )
)


def update(world: World, call: Call, obj: Object) -> tuple[Record, bool]:
    """Replaces an object: (what is stored now, whether it was created)."""
    kind = call.kind
    check_kind(kind, obj)
    check_name(obj, call.name, call.namespace, namespaced=kind.resource.namespaced)
    check_namespace(world, call)
    one_of_each_owner(call, obj)
    existing = world.find(kind, call.namespace, call.name)
    if existing is None:
        if may_create(call):
            if not call.options.dry_run:  # whose answer tells what was sent
                obj["metadata"] = {key: value for key, value in meta(obj).items() if key != "resourceVersion"}
            return create(world, call, obj), True
        raise failures.not_found(kind.about(call.name))
    return replace(world, call, existing, obj, own=True), False


def may_create(call: Call, *, applied: bool = False) -> bool:
    """Whether a write to what is not there creates it: some kinds' status too, of one only where it is applied."""
    if call.subresource:
        return call.subresource == "status" and (
            call.kind.storage == "services" or (applied and call.kind.storage == _APPLIED_STATUS)
        )
    return call.kind.storage in _CREATE_ON_UPDATE


def replace(world: World, call: Call, existing: Record, obj: Object, *, own: bool, exact: bool = True) -> Record:
    """Makes the stored object into this one, if it may be. Without `own` its managedFields are right already.

    `exact` refuses another uid as a conflict; a patch that changes the uid is invalid instead.
    """
    kind = call.kind
    old = kind.held(existing)
    check_preconditions(kind, obj, old, exact=exact)
    kind.mark_unchanged(obj, old)
    sent = obj
    if not _is_left_to_reading(call):
        obj = shaped(kind, obj, nulls=not own)
    strategy = strategy_of(kind.storage)
    strategy.complete(obj)
    if own:  # judged by what was sent: what this endpoint puts back is owned, and disowned, as if it had been changed
        obj = owned(call, old, obj, call.memory.once("now", world.now))
    if call.subresource != "scale":
        obj = admission.mutate(world, call, obj, old)
        one_of_each_owner(call, obj, admitted=True)
    prepare(kind, obj, old, call.subresource)
    obj["metadata"].setdefault("resourceVersion", old["metadata"].get("resourceVersion", ""))
    gates.close(world.release.number, kind.storage, obj, old)
    strategy.prepare_change(world, call, obj, old)
    if (kind.has_generation or kind.storage == _COUNTS_FROM_NOTHING) and _means_change(
        kind, obj, old, sent, call.subresource
    ):
        generation = int(old["metadata"].get("generation") or 0) + 1
        obj = {**obj, "metadata": {**obj["metadata"], "generation": generation}}  # a copy: it may be `old` itself
    causes = kind.problems_of_change(_as_sent(kind, obj, sent), old, call.subresource)
    refuse(kind, obj, [*_not_tolerated(call, causes), *strategy.problems(world, call, obj, old)])
    if call.subresource in ("", "scale"):
        for text in kind.warnings_of(obj, old):
            call.warn(text)
    if kind.converts:
        kind.to_stored(_before_storing(obj, old))  # may have to be waited for, which must be before quotas are charged
    if call.subresource != "scale":
        strategy.admit(world, call, obj, old)
        admission.after(world, call, obj, old)
    return _kept(world, call, existing, _before_storing(obj, old), old)


def _kept(world: World, call: Call, existing: Record, last: Object, old: Object) -> Record:
    """Keeps the object, unless nothing changes by that."""
    kind, obj = call.kind, call.kind.to_stored(last)
    if _is_left_to_reading(call):
        obj = kind.uncompleted(obj)
    raw = kind.conversion or not kind.shows_as_kept(existing)
    before = existing.object() if raw else kind.to_stored(old)
    if same_but_times(obj, before, ordered=_order_of_owners(call, obj)):
        return existing
    if call.options.dry_run:
        return record(existing.key, existing.version, encode(obj))
    return store(world, existing.key, obj, obj if kind.conversion or kind.resource.custom else last)


def _is_left_to_reading(call: Call) -> bool:
    """Whether what is written gets its defaults when it is read: what a scale puts into a custom resource."""
    return call.subresource == "scale" and call.kind.resource.custom


def _order_of_owners(call: Call, obj: Object) -> bool:
    """Whether the order of what is owned is kept: a scale leaves another one than other writes, which put it right."""
    resource = call.kind.resource
    if resource.custom or resource.sub_resource("scale") is None:
        return False
    if call.subresource != "scale" and "managedFields" in obj["metadata"]:
        obj["metadata"]["managedFields"] = in_order(obj["metadata"]["managedFields"])
    return True


def _not_tolerated(call: Call, causes: list[Cause]) -> list[Cause]:
    """The causes without those that are only warned of."""
    for cause in causes:
        if isinstance(cause, Tolerated):
            call.warn(str(cause))
    return [cause for cause in causes if not isinstance(cause, Tolerated)]


def _as_sent(kind: Kind, obj: Object, sent: Object) -> Object:
    """The object with the empty maps, and those with null for bytes, that were sent: they count as a change of what cannot be changed."""
    fields = ((key, sent.get(key)) for key in _EMPTY_IS_A_CHANGE.get(kind.storage, ()))
    counted: Object = {key: value for key, value in fields if value == {} or isinstance(value, NullBytes)}
    return {**obj, **counted} if counted else obj


def _before_storing(obj: Object, old: Object) -> Object:
    made = finished({**obj, "metadata": dict(obj["metadata"])})
    made["metadata"]["resourceVersion"] = old["metadata"].get("resourceVersion", "")
    return made


def store(world: World, key: Key, obj: Object, last: Object | None = None) -> Record:
    """Keeps the object, unless it waits for deletion and nothing holds it any longer.

    `last` is then answered, as it never was stored; watches are told what was.
    """
    found = obj["metadata"]
    held = found.get("finalizers") or found.get("deletionGracePeriodSeconds")
    if key.resource == "namespaces":
        held = held or (obj.get("spec") or {}).get("finalizers")
    if found.get("deletionTimestamp") and not held:
        shown, existing = encode(obj if last is None else last), world.store.get(key)
        world.store.delete(key, obj if existing is None else existing.object())
        return record(key, world.store.version, shown)
    return world.store.put(key, obj)


def check_preconditions(kind: Kind, obj: Object, old: Object, *, exact: bool) -> None:
    """409 where the object was made from another version of the stored one; 422 where a custom resource does not say which."""
    found, before = meta(obj), old["metadata"]
    name, version = before["name"], str(found.get("resourceVersion") or "")
    if exact and found.get("uid") and found["uid"] != before["uid"]:
        key = "/".join(part for part in ("/registry", kind.registry, before.get("namespace", ""), name) if part)
        told = f"UID in precondition: {found['uid']}, UID in object meta: {before['uid']}"
        why = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
        raise failures.conflict(kind.about(name), f"{why}Precondition failed: {told}")
    if version in ("", "0"):
        if kind.resource.custom or (kind.resource.group, kind.resource.kind) in _CONDITIONAL:
            cause = failures.cause(
                "FieldValueInvalid", "Invalid value: 0: must be specified for an update", "metadata.resourceVersion"
            )
            raise failures.invalid(kind.about(name), [cause])
    elif version != before["resourceVersion"]:
        if not (version.isascii() and version.isdecimal()):
            raise failures.unexplained(f"strconv.ParseUint: parsing {failures.quoted(version)}: invalid syntax")
        raise failures.stale(kind.about(name))


def prepare(kind: Kind, obj: Object, old: Object, subresource: str) -> None:
    """What this endpoint cannot change stays as it was."""
    carried_over(obj, old)
    part = PARTS.get(subresource)
    if part is not None:
        sent = obj["metadata"]
        part(obj, old)
        if subresource == "status" and kind.resource.custom:
            obj["metadata"] = {**old["metadata"], "managedFields": sent.get("managedFields")}
    elif kind.has_status:
        if "status" in old:
            obj["status"] = old["status"]
        else:
            obj.pop("status", None)


def _means_change(kind: Kind, obj: Object, old: Object, sent: Object, subresource: str) -> bool:
    """Whether anything but metadata and status differs; of a Deployment the annotations count too, but not beside its status."""
    notes = obj["metadata"].get("annotations") != old["metadata"].get("annotations")
    if notes and kind.storage == "deployments.apps" and subresource != "status":
        return True
    if kind.storage in _NEVER_COUNTED:
        return False
    if kind.storage in _COUNT_LABELS and (obj["metadata"].get("labels") or {}) != (old["metadata"].get("labels") or {}):
        return True
    compared = _COUNTS_EMPTY.get(kind.storage)
    if compared and _has_empty(kind.node.child(compared), sent.get(compared)):
        return True
    if kind.resource.custom:
        return not same(_content(obj), _content(old))
    kept = kind.to_stored(obj)  # an empty list counts no more than it is kept
    return _content(obj) != _content(old) and _content(kept) != _content(old)


def _has_empty(node: Node | None, value: Json) -> bool:
    """Whether an empty list or map is anywhere in it, as Go's types go; an empty `policyTypes` is filled in."""
    if isinstance(value, list):
        items = node.list.items if node is not None and node.list is not None else None
        return not value or any(_has_empty(items, item) for item in value)
    if not isinstance(value, dict) or node is None or node.map is None:
        return False
    if not node.map.fields:
        return not value
    return any(_has_empty(node.child(key), child) for key, child in value.items() if key != "policyTypes")


def _content(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}
