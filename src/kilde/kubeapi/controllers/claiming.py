"""Claiming: an owner takes the orphans its selector selects, and lets go of what it selects no more."""

from itertools import chain
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import (
    controller_of,
    deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from kilde.kubeapi.controllers.selecting import selects
from kilde.kubeapi.controllers.steps import Patch, View


class Claimed(NamedTuple):
    """What the owner has now, and the writes that make new owner references so."""

    objects: list[Object]
    writes: tuple[Patch, ...]


def claim(owner: Object, selector: dict[str, Any] | None, resource: str, view: View) -> Claimed:
    """Sorts what the owner has and what nobody has, as upstream's ControllerRefManager does."""
    mine, writes = [], []
    for obj in chain(view.owned(resource, uid_of(owner)), view.orphans(resource, namespace_of(owner))):
        holder = controller_of(obj)
        if holder is not None and holder.get("uid") != uid_of(owner):
            continue
        fits = selects(selector, labels_of(obj))
        if holder is not None:
            if fits or deleting(owner):
                mine.append(obj)
            elif not deleting(obj):
                writes.append(_references(resource, obj, _without(obj, owner)))
        elif fits and not deleting(owner) and not deleting(obj):
            mine.append(obj)
            writes.append(_references(resource, obj, [*_all(obj), owner_reference(owner)]))
    return Claimed(mine, tuple(writes))


def _all(obj: Object) -> list[dict[str, Any]]:
    return list(obj["metadata"].get("ownerReferences") or ())


def _without(obj: Object, owner: Object) -> list[dict[str, Any]]:
    return [reference for reference in _all(obj) if reference.get("uid") != uid_of(owner)]


def _references(resource: str, obj: Object, references: list[dict[str, Any]]) -> Patch:
    change = {"metadata": {"uid": uid_of(obj), "ownerReferences": references or None}}
    return Patch(resource, namespace_of(obj), name_of(obj), change)
