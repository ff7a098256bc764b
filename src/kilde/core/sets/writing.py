"""What is to be written of one generated Application: it is made, patched, or left alone. As Argo CD decides it, field by field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.patches.merge_patch import patch_between
from kilde.core.plan.ignore import Where, drop
from kilde.core.sets.application_set import KIND, ApplicationSet

_API = "argoproj.io/v1alpha1"
_KEPT_ANNOTATIONS = (
    "notified.notifications.argoproj.io",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/deletion-approved",  # not in Argo CD: what a person just approved must reach who waits for it
    "kilde.dev/approved-deletions",  # as the one before
    "kilde.dev/held-deletions",
    "kilde.dev/quarantine",
)
_KEPT_FINALIZERS = ("pre-delete-finalizer.argocd.argoproj.io", "post-delete-finalizer.argocd.argoproj.io")
_MEANT_WHEN_EMPTY = ("automated", "valuesObject")


class NotOurs(InvalidInput):
    """Another controller owns the Application of that name."""

    code = "not-ours"


@dataclass(frozen=True, slots=True)
class Write:
    """`create`: the whole object, else {}; `patch`: a merge patch of what is there, else {}."""

    create: Object
    patch: Object

    def __bool__(self) -> bool:
        return bool(self.create or self.patch)


def owner_reference(owner: ApplicationSet) -> Object:
    return {
        "apiVersion": _API,
        "kind": KIND,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The owner reference of the controller; {} where there is none."""
    for reference in metadata.get("ownerReferences") or ():
        if isinstance(reference, dict) and reference.get("controller"):
            return reference
    return {}


def owning_set(metadata: Mapping[str, Any]) -> str:
    """The name of the ApplicationSet that an Application belongs to; "" where it belongs to none."""
    found = controller_of(metadata)
    return str(found.get("name", "")) if (found.get("kind"), found.get("apiVersion")) == (KIND, _API) else ""


def write_for(owner: ApplicationSet, wanted: Object, live: Object | None) -> Write:
    """What makes the Application what the set wants. NotOurs where another controller owns it."""
    reference = owner_reference(owner)
    spec = _with_project(wanted["spec"])
    if live is None:
        metadata = {**wanted["metadata"], "ownerReferences": [reference]}
        return Write({**wanted, "metadata": metadata, "spec": spec}, {})
    before = live.get("metadata") or {}
    holder = controller_of(before)
    if holder and holder.get("uid") != owner.uid:
        raise NotOurs(
            f"Object {owner.namespace}/{wanted['metadata']['name']} is already owned by another "
            f"{holder.get('kind')} controller {holder.get('name')}"
        )
    patch: Object = {}
    metadata = _metadata(owner, wanted, before, [] if holder else [reference])
    if metadata:
        patch["metadata"] = metadata
    ignored = _left_alone(owner, str(wanted["metadata"]["name"]))
    one, two = drop({"spec": _with_project(live.get("spec") or {})}, ignored), drop({"spec": spec}, ignored)
    if normalized(one.get("spec")) != normalized(two.get("spec")):
        patch["spec"] = patch_between(one.get("spec") or {}, two.get("spec") or {})
    if wanted.get("operation") is not None and wanted["operation"] != live.get("operation"):
        patch["operation"] = wanted["operation"]
    if patch:
        patch.setdefault("metadata", {})["resourceVersion"] = before.get("resourceVersion")
    return Write({}, patch)


def same_spec(owner: ApplicationSet, wanted: Object, live: Object) -> bool:
    """Whether nothing of the spec would be written."""
    ignored = _left_alone(owner, str(wanted["metadata"]["name"]))
    spec = _with_project(wanted["spec"])
    one, two = drop({"spec": _with_project(live.get("spec") or {})}, ignored), drop({"spec": spec}, ignored)
    return bool(normalized(one.get("spec")) == normalized(two.get("spec")))


def _metadata(owner: ApplicationSet, wanted: Object, before: Mapping[str, Any], missing: list[Object]) -> Object:
    after = wanted["metadata"]
    keep = (*owner.preserved_annotations, *_KEPT_ANNOTATIONS)
    annotations = _with_kept(after.get("annotations") or {}, before.get("annotations") or {}, keep)
    labels = _with_kept(after.get("labels") or {}, before.get("labels") or {}, owner.preserved_labels)
    held = [each for each in before.get("finalizers") or () if str(each).startswith(_KEPT_FINALIZERS)]
    finalizers = [
        *(after.get("finalizers") or ()),
        *(each for each in held if each not in (after.get("finalizers") or ())),
    ]
    patch: Object = {}
    for key, new in (("annotations", annotations), ("labels", labels)):
        change = patch_between(before.get(key) or {}, new)
        if change:
            patch[key] = change
    if finalizers != list(before.get("finalizers") or ()):
        patch["finalizers"] = finalizers or None
    if missing:
        patch["ownerReferences"] = [*(before.get("ownerReferences") or ()), *missing]
    return patch


def _with_kept(wanted: Mapping[str, str], live: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    return {**wanted, **{key: live[key] for key in keys if key in live}}


def _with_project(spec: Object) -> Object:
    return {**spec, "project": spec.get("project") or "default"}


def _left_alone(owner: ApplicationSet, name: str) -> tuple[Where, ...]:
    return tuple(where for rule in owner.ignored if rule.name in ("", name) for where in rule.fields)


def normalized(value: Any) -> Any:
    """A spec without what means nothing: nulls, empty texts, empty objects and lists, except where being there is the point."""
    if not isinstance(value, dict):
        return [normalized(child) for child in value] if isinstance(value, list) else value
    out = {}
    for key, child in value.items():
        kept = (
            child if key in _MEANT_WHEN_EMPTY and child == {} else child if key == "valuesObject" else normalized(child)
        )
        if kept is not None and (kept not in ("", {}, []) or (key in _MEANT_WHEN_EMPTY and kept is not None)):
            out[key] = kept
    return out
