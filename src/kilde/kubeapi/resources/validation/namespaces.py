"""Validation of Namespaces."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, invalid
from kilde.kubeapi.resources.validation.fields import items
from kilde.kubeapi.resources.validation.metadata import check_finalizer


def check_namespace(namespace: Object) -> Iterator[Cause]:
    """What is wrong with a Namespace. The real paths of its finalizers have no index."""
    for _, name in items(namespace, "spec", "finalizers"):
        yield from check_finalizer(name, "spec.finalizers")


def check_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of a Namespace: it is terminating exactly while it is being deleted."""
    deleting, phase = bool((new.get("metadata") or {}).get("deletionTimestamp")), (new.get("status") or {}).get("phase")
    wanted, when = ("Terminating", "is not empty") if deleting else ("Active", "is empty")
    if phase != wanted:
        yield invalid("status.Phase", phase or "", f"may only be '{wanted}' if `deletionTimestamp` {when}")


def check_finalize(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with the finalizers that a Namespace is given."""
    for index, name in items(new, "spec", "finalizers"):
        yield from check_finalizer(name, f"spec.finalizers[{index}]")
