"""What becomes of an existing Secret when a SealedSecret of its name is opened: replaced, merged into, or left alone."""

from typing import Any

from kilde.core.basics.values import Object
from kilde.core.secrets.scope import KIND, MANAGED, PATCH, SKIP_OWNER, is_true

_OPAQUE = "Opaque"
_MAPS = ("labels", "annotations")
Part = tuple[str, ...]
PARTS: tuple[Part, ...] = (
    ("data",),
    ("type",),
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("metadata", "ownerReferences"),
)


def wanted(live: Object, made: Object, sealed: Object) -> Object | None:
    """The live Secret as it has to be; None where it is not ours to change.

    Replaced whole if this SealedSecret controls it or it is `managed`; merged into if it is marked `patch`. A Secret that was
    made without an owner is known by the annotation that asked for that.
    """
    annotations = live["metadata"].get("annotations")
    if is_true(annotations, PATCH):
        return _merged(live, made)
    if is_ours(live, sealed) or is_true(annotations, MANAGED):
        return _replaced(live, made)
    return None


def is_ours(live: Object, sealed: Object) -> bool:
    """Whether a Secret was made from this SealedSecret."""
    uid = sealed["metadata"].get("uid")
    owners = live["metadata"].get("ownerReferences") or ()
    if any(owner.get("controller") and owner.get("uid") == uid for owner in owners):
        return True
    template = sealed["spec"]["template"]["metadata"].get("annotations")
    return not owners and is_true(template, SKIP_OWNER) and is_true(live["metadata"].get("annotations"), SKIP_OWNER)


def comes_back(gone: Object, kind: str = KIND) -> bool:
    """Whether a Secret that was deleted is made again: one that had an owner of that kind, or said whose it is."""
    metadata = gone.get("metadata") or {}
    owned = any(
        owner.get("controller") and owner.get("kind") == kind for owner in metadata.get("ownerReferences") or ()
    )
    return owned or any(is_true(metadata.get("annotations"), name) for name in (MANAGED, SKIP_OWNER))


def same(a: Object, b: Object) -> bool:
    """Whether two Secrets are equal in what a SealedSecret decides."""
    return held(a) == held(b)


def held(secret: Object) -> dict[str, Any]:
    """What a SealedSecret decides of a Secret, in one shape: nothing and empty are the same."""
    metadata = secret.get("metadata") or {}
    return {
        "data": secret.get("data") or {},
        "type": secret.get("type") or _OPAQUE,
        "metadata": {part[1]: metadata.get(part[1]) or {} for part in PARTS if len(part) > 1},
    }


def _replaced(live: Object, made: Object) -> Object:
    metadata = dict(live["metadata"])
    for field in (*_MAPS, "ownerReferences"):
        _set(metadata, field, made["metadata"].get(field))
    secret = {**live, "metadata": metadata}
    _set(secret, "data", made.get("data"))
    return {**secret, "type": made.get("type") or _OPAQUE}


def _merged(live: Object, made: Object) -> Object:
    metadata = dict(live["metadata"])
    for field in _MAPS:
        _set(metadata, field, {**(metadata.get(field) or {}), **(made["metadata"].get(field) or {})})
    if is_true(metadata.get("annotations"), MANAGED):
        _set(metadata, "ownerReferences", made["metadata"].get("ownerReferences"))
    secret = {**live, "metadata": metadata}
    _set(secret, "data", {**(live.get("data") or {}), **(made.get("data") or {})})
    return {**secret, "type": made.get("type") or live.get("type") or _OPAQUE}


def _set(into: Object, field: str, value: Any) -> None:
    if value:
        into[field] = value
    else:
        into.pop(field, None)
