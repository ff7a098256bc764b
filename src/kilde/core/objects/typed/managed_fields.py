"""Server-side apply and ownership of fields: what a write makes of an object and its metadata.managedFields.

`apply` is a PATCH of type apply; `update` is every other write. Both are pure and answer a new object (the live one
itself where nothing changes). They do what the field managers of a Kubernetes 1.36 API server do, in its order;
defaulting, admission and validation come after.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import last_applied, managers
from kilde.core.objects.typed.errors import ApplyConflict, BadApply, Owner, TypingError
from kilde.core.objects.typed.field_set import FieldSet, Trie, is_member
from kilde.core.objects.typed.go_values import zero_object
from kilde.core.objects.typed.managers import Managers
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.ownership import Intent, Versions, alike, applied, updated
from kilde.core.objects.typed.reconciling import reconciled
from kilde.core.objects.typed.validation import check
from kilde.core.objects.typed.values import same

BEFORE_FIRST_APPLY = "before-first-apply"
KUBECTL = "kubectl"
NO_FIELDS = FieldSet()


class ApplyResult(NamedTuple):
    """The object after the write; `changed` is False if a server would not write (times of entries do not count)."""

    object: Object
    changed: bool


def apply(
    live: Object | None,
    config: Object,
    *,
    node: Node,
    manager: str,
    force: bool = False,
    api_version: str,
    subresource: str = "",
    now: str,
    reset_fields: FieldSet = NO_FIELDS,
    versions: Versions = alike,
) -> ApplyResult:
    """Applies `config` onto `live` (None: the object does not exist) as `manager`.

    `reset_fields` is what this endpoint does not let be written ({status} on the main resource of a kind with a
    status sub-resource): it is owned by nobody and stays as it is in `live`. `now` is RFC 3339. `versions` tells of those
    of another shape. Raises BadApply
    (400), TypingError (500) or ApplyConflict (409).
    """
    if _metadata(config).get("managedFields") is not None:
        raise BadApply("metadata.managedFields must be nil")
    base = _identified(live if live is not None else {}, config)
    intent = Intent(Owner(manager, "Apply", "", subresource), api_version, reset_fields.trie, force, versions)
    former = _read(base)
    plain = _without_managed_fields(base)
    owners = reconciled(node, former, versions)
    if live is not None and not former:
        owners = _first(node, plain, intent, now)
    try:
        merged, owned = _applied(node, plain, config, owners, intent)
    except (TypingError, ValueError, RecursionError) as error:
        _explain(node, plain, config, error)
        raise
    unlike = not same(merged, plain)  # also in what is put back now: an apply that says it counts as one that changes
    if live is not None:  # what a new object may not be given its strategy takes away
        merged = _restored(merged, plain, intent.reset)
    if manager == KUBECTL:
        merged = last_applied.rewritten(merged, config)
    changed = not same(merged, plain)
    owned = _timed(owned, intent.owner, former, now if changed or unlike else "")
    if live is not None and not changed and _owns_alike(owned, former) and _told_once(live):
        return ApplyResult(live, changed=False)
    return ApplyResult(_with_managed_fields(merged, owned), changed=True)


def update(
    live: Object | None,
    new: Object,
    *,
    node: Node,
    manager: str,
    api_version: str,
    subresource: str = "",
    now: str,
    reset_fields: FieldSet = NO_FIELDS,
    versions: Versions = alike,
) -> ApplyResult:
    """Any other write: `live` (None: created) becomes `new`; the writer owns what it changed, nobody what is gone. It never conflicts.

    managedFields in `new` are honoured as a server does: `[{}]` resets them, and so does `[]` for built-in kinds (where it
    has no type, a server reads that as nothing); unreadable ones are ignored, so are those of a sub-resource request. An
    object that cannot be compared with its type loses its managedFields.
    """
    owners = reconciled(node, _sent(live, new, subresource, _RESETS if node.definition else _RESETS[:1]), versions)
    plain_new, plain_live = _without_managed_fields(new), _without_managed_fields(live or {})
    if live is None or owners:
        intent = Intent(
            Owner(manager, "Update", api_version, subresource), api_version, reset_fields.trie, True, versions
        )
        before = _identified(plain_live if live is not None else zero_object(node), new)
        try:
            if not node.definition:  # of a custom resource, which no decoder has held to its type
                check(node, plain_new, duplicates=True)
            owned, took = updated(node, before, plain_new, owners, intent)
            owners = managers.capped(_timed(owned, intent.owner, owners, now if took else ""))
        except (TypingError, ValueError, RecursionError):
            owners = {}  # as a server does: the write goes on, what nobody can compare is owned by nobody
    if live is not None and same(plain_live, plain_new) and _owns_alike(owners, _readable(live)) and _told_once(live):
        return ApplyResult(live, changed=False)
    return ApplyResult(_with_managed_fields(plain_new, owners), changed=True)


def _applied(node: Node, live: Object, config: Object, owners: Managers, intent: Intent) -> tuple[Object, Managers]:
    """applied(); for kubectl, conflicts about what its last-applied annotation says it set are its own to win."""
    try:
        return applied(node, live, config, owners, intent)
    except ApplyConflict as conflict:
        if intent.owner.manager != KUBECTL:
            raise
        allowed = last_applied.allowed(node, live)
        left = [each for each in conflict.conflicts if each.path not in allowed]
        if left:
            raise ApplyConflict(left) from None
        return applied(node, live, config, owners, intent._replace(force=True))


def _explain(node: Node, live: Object, config: Object, error: Exception) -> None:
    """Raises the server's words for what does not fit its type: the config, or else the live object."""
    for what, value, duplicates in (("patch", config, False), ("live", live, True)):
        try:
            check(node, value, duplicates=duplicates)
        except TypingError as found:
            raise TypingError(f"failed to create typed {what} object ({_place(value)}): {found.what}") from error
    if isinstance(error, RecursionError):
        raise TypingError("the object is nested too deeply") from error


def _place(obj: Object) -> str:
    """Which object it is, as a server tells it: `namespace/name; version, Kind=kind`."""
    meta = _metadata(obj)
    parts = (meta.get(key) for key in ("namespace", "name"))
    name = "/".join(part if isinstance(part, str) else "" for part in parts)
    version = str(obj.get("apiVersion") or "")
    version = version if "/" in version else f"/{version}"
    return f"{name}; {version}, Kind={obj.get('kind') or ''}"


def _first(node: Node, live: Object, intent: Intent, now: str) -> Managers:
    """All that an untracked object holds, as owned by `before-first-apply`."""
    owner = Owner(BEFORE_FIRST_APPLY, "Update", intent.api_version, intent.owner.subresource)
    empty = _identified(zero_object(node), live)
    try:
        owned, took = updated(node, empty, live, {}, intent._replace(owner=owner, force=True))
    except (ValueError, RecursionError):
        try:
            check(node, live, duplicates=True)
        except TypingError as found:
            why = f"failed to convert new object ({_place(live)}) to smd typed: {found.what}"
            raise TypingError(f"failed to create manager for existing fields: {why}") from found
        return {}  # the apply itself will tell
    return _timed(owned, owner, {}, now) if took else owned


def _metadata(obj: Object) -> Mapping[str, Any]:
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def _identified(obj: Object, like: Object) -> Object:
    """The object in the version of the other: a type of several versions is compared in the one written."""
    wanted: Object = {key: like[key] for key in ("apiVersion", "kind") if key in like}
    if all(obj.get(key) == value for key, value in wanted.items()):
        return obj
    return {**obj, **wanted}


def _without_managed_fields(obj: Object) -> Object:
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


def _with_managed_fields(obj: Object, owners: Managers) -> Object:
    if not owners:
        return obj
    return {**obj, "metadata": {**_metadata(obj), "managedFields": managers.encode(owners)}}


def _read(obj: Object) -> Managers:
    try:
        return managers.decode(_metadata(obj).get("managedFields"))
    except InvalidInput as error:
        raise TypingError(f"failed to decode managed fields: {error.what}") from error


def _readable(obj: Object) -> Managers:
    try:
        return managers.decode(_metadata(obj).get("managedFields"))
    except InvalidInput:
        return {}


def _told_once(obj: Object) -> bool:
    """Whether no owner has two entries, as a scale may leave them: any other write leaves the last."""
    return len(_metadata(obj).get("managedFields") or ()) == len(_readable(obj))


_RESETS: tuple[Json, ...] = ([{}], [])


def _sent(live: Object | None, new: Object, subresource: str, resets: tuple[Json, ...]) -> Managers:
    """The managers an update starts from: those the client sent if it may and they can be read, else the live ones."""
    before = _metadata(live or {}).get("managedFields")
    sent = _metadata(new).get("managedFields")
    if not subresource and sent is not None and sent is not before:
        if sent in resets:
            return {}
        try:
            found = managers.decode(sent) if sent == before else managers.decode_foreign(sent)
        except InvalidInput:
            found = {}
        if found:
            return found
    return _readable(live or {})


def _timed(owned: Managers, owner: Owner, former: Managers, now: str) -> Managers:
    """The writer's entry with its time: now if something changed, else as it was (none if it is new)."""
    entry = owned.get(owner)
    if entry is None:
        return owned
    before = former.get(owner)
    time = now or (before.time if before is not None else "")
    if entry.time == time:
        return owned
    return {**owned, owner: managers.Entry(entry.fields, entry.api_version, time, entry.raw)}


def _owns_alike(a: Managers, b: Managers) -> bool:
    """Equal but for times."""
    return a.keys() == b.keys() and all(
        entry.api_version == b[owner].api_version and entry.fields == b[owner].fields for owner, entry in a.items()
    )


def _restored(merged: Object, live: Object, reset: Trie) -> Object:
    """The merged object with what may not be written here as it was."""
    out = merged
    for element, below in reset.items():
        key = element.removeprefix("f:")
        if key not in merged and key not in live:
            continue
        before, after = live.get(key), merged.get(key)
        if not is_member(below):
            if not isinstance(after, dict):
                continue
            value: Json = _restored(after, before if isinstance(before, dict) else {}, below)
        else:
            value = before
        if value is after:
            continue
        out = dict(out) if out is merged else out
        if key in live or not is_member(below):
            out[key] = value
        else:
            out.pop(key, None)
    return out
