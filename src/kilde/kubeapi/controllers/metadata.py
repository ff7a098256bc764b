"""Owners, references and other facts that every object carries in its metadata."""

from typing import Any

from kilde.core.basics.values import Object


def controller_of(obj: Object) -> dict[str, Any] | None:
    """The owner reference that controls the object, or None."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return dict(owner)
    return None


def owned_by(obj: Object, owner: Object) -> bool:
    """Whether `owner` controls `obj`."""
    found = controller_of(obj)
    return found is not None and found.get("uid") == owner["metadata"]["uid"]


def owner_reference(owner: Object) -> dict[str, Any]:
    """The controlling owner reference to `owner`, in the form every workload controller writes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def namespace_of(obj: Object) -> str:
    return str(obj["metadata"].get("namespace", ""))


def name_of(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def uid_of(obj: Object) -> str:
    return str(obj["metadata"].get("uid", ""))


def labels_of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def generation_of(obj: Object) -> int:
    return int(obj["metadata"].get("generation") or 0)


def deleting(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def with_metadata(obj: Object, **changes: Any) -> Object:
    """A copy of the object with these metadata fields set; None removes one."""
    meta = {**obj["metadata"], **changes}
    return {**obj, "metadata": {key: value for key, value in meta.items() if value is not None}}


def with_status(obj: Object, status: dict[str, Any]) -> Object:
    """A copy of the object with another status."""
    return {**obj, "status": status}


def dense(status: dict[str, Any], *always: str) -> dict[str, Any]:
    """The status without zeros, empty lists and None, as Go's omitempty writes it; `always` are kept."""
    return {key: value for key, value in status.items() if value or value is False or key in always}
