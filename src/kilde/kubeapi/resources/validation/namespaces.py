"""Validation of Namespaces."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.validation.fields import items
from kilde.kubeapi.resources.validation.metadata import check_finalizer


def check_namespace(namespace: Object) -> Iterator[Cause]:
    """What is wrong with a Namespace. The real paths of its finalizers have no index."""
    for _, name in items(namespace, "spec", "finalizers"):
        yield from check_finalizer(name, "spec.finalizers")


def check_finalize(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with the finalizers that a Namespace is given."""
    for index, name in items(new, "spec", "finalizers"):
        yield from check_finalizer(name, f"spec.finalizers[{index}]")
