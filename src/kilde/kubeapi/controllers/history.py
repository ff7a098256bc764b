"""ControllerRevisions: the history of a StatefulSet's or a DaemonSet's template (upstream: controller/history)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import annotations_of, name_of, namespace_of, owner_reference, uid_of
from kilde.kubeapi.controllers.naming import revision_hash, template_hash
from kilde.kubeapi.controllers.steps import Create, Delete, Update, Write

RESOURCE = "controllerrevisions.apps"
HASH = "controller.kubernetes.io/hash"
POD_HASH = "controller-revision-hash"


class History(NamedTuple):
    """`update` is the revision of the template as it is (made by `writes` if it is new); `all` are sorted, oldest first."""

    update: Object
    all: tuple[Object, ...]
    writes: tuple[Write, ...]


def data_of(owner: Object) -> dict[str, Any]:
    """The patch that brings the template back: `spec.template`, replaced as a whole."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def template_of(revision: Object) -> Object:
    """The template that a revision holds."""
    template = ((revision.get("data") or {}).get("spec") or {}).get("template") or {}
    return {key: value for key, value in template.items() if key != "$patch"}


def number(revision: Object) -> int:
    return int(revision.get("revision") or 0)


def hash_of(revision: Object) -> str:
    """The hash that the revision's pods carry in a DaemonSet."""
    return str((revision["metadata"].get("labels") or {}).get(POD_HASH, ""))


def history_of(owner: Object, revisions: Iterable[Object], collisions: int = 0) -> History:
    """Finds the template among the revisions, gives it the highest number, or plans a new one."""
    ordered = tuple(sorted(revisions, key=lambda revision: (number(revision), name_of(revision))))
    data = data_of(owner)
    top = number(ordered[-1]) if ordered else 0
    equal = [revision for revision in ordered if revision.get("data") == data]
    if not equal:
        made = _new(owner, data, top + 1, collisions)
        return History(made, (*ordered, made), (Create(RESOURCE, made),))
    update = equal[-1]
    if number(update) == top:
        return History(update, ordered, ())
    raised = {**update, "revision": top + 1}
    others = tuple(revision for revision in ordered if revision is not update)
    return History(raised, (*others, raised), (Update(RESOURCE, raised),))


def _new(owner: Object, data: dict[str, Any], revision: int, collisions: int) -> Object:
    template = owner["spec"]["template"]
    of_all = owner["kind"] == "DaemonSet"
    suffix = template_hash(template, collisions) if of_all else revision_hash(data, collisions)
    label = POD_HASH if of_all else HASH
    labels = (template.get("metadata") or {}).get("labels") or {}
    meta: dict[str, Any] = {
        "name": f"{name_of(owner)}-{suffix}",
        "namespace": namespace_of(owner),
        "labels": {**labels, label: suffix},
        "ownerReferences": [owner_reference(owner)],
    }
    if annotations_of(owner):
        meta["annotations"] = annotations_of(owner)
    return {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": meta, "data": data, "revision": revision}


def spare(history: Iterable[Object], live: set[str], limit: int) -> list[Write]:
    """Deletes of the oldest revisions that no pod has (`live`: names in use), beyond the limit."""
    idle = [revision for revision in history if name_of(revision) not in live and uid_of(revision)]
    return [
        Delete(RESOURCE, namespace_of(revision), name_of(revision), uid_of(revision))
        for revision in idle[: max(0, len(idle) - limit)]
    ]
