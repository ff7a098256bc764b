"""Which application an object belongs to: Argo CD's tracking annotation.

`argocd.argoproj.io/tracking-id: <app>:<group>/<Kind>:<namespace>/<name>`; for a cluster-scoped object the namespace is the
application's destination namespace. An id that does not name the object that carries it was copied, and is ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.objects.ref import GroupKind, ObjectRef

INSTALLATION = "argocd.argoproj.io/installation-id"
LABEL = "app.kubernetes.io/instance"
_LONGEST_LABEL = 63
ANNOTATION = "argocd.argoproj.io/tracking-id"
# nobody's: with one of them every object of its kind would go
UNMARKED = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
CLAIM, STATEFUL_SET = GroupKind("", "PersistentVolumeClaim"), GroupKind("apps", "StatefulSet")


@dataclass(frozen=True, slots=True)
class TrackingId:
    """The application's instance name and the object it was written for."""

    app: str
    ref: ObjectRef

    def __str__(self) -> str:
        ref = self.ref
        return f"{self.app}:{ref.group}/{ref.kind}:{ref.namespace}/{ref.name}"

    def is_of(self, ref: ObjectRef) -> bool:
        """Whether the id was written for this object: cluster-scoped ones carry a namespace that does not count."""
        mine = self.ref
        same = (mine.group, mine.kind, mine.name) == (ref.group, ref.kind, ref.name)
        return same and (not ref.namespace or mine.namespace == ref.namespace)


def parse(text: str) -> TrackingId | None:
    """The id in an annotation's text; None if it is not one. It names no object where that was a hook without a name."""
    app, first, rest = text.partition(":")
    group_kind, second, place = rest.partition(":")
    group, slash, kind = group_kind.partition("/")
    namespace, slash2, name = place.partition("/")
    if not (app and first and second and slash and slash2 and kind):
        return None
    return TrackingId(app, ObjectRef(group, kind, namespace, name))


def owner(annotations: Mapping[str, str] | None, ref: ObjectRef) -> str:
    """The application that tracks the object `ref` with these annotations; "" if none does."""
    text = (annotations or {}).get(ANNOTATION, "")
    found = parse(text) if text else None
    return found.app if found and found.is_of(ref) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """How objects are told to be an application's: Argo CD's `application.resourceTrackingMethod` and what belongs to it.

    `method`: annotation, label, or annotation+label (then the label is for people, and the annotation counts). `installation` tells apart
    several installations that share a cluster: an object of another one is nobody's here.
    """

    method: str = "annotation"
    label: str = LABEL
    installation: str = ""

    def in_the_way(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        """What keeps the mark from being set, as in Argo CD: a label or annotation beside it that is no text. () for nothing."""
        metadata = body.get("metadata")
        if metadata is None:
            return ()
        if not isinstance(metadata, dict):
            return ("metadata",)
        fields = {"annotation": ("annotations",), "label": ("labels",)}.get(self.method, ("annotations", "labels"))
        for field in fields:
            found = metadata.get(field)
            if found is not None and not isinstance(found, dict):
                return "metadata", field
            for key, text in (found or {}).items():
                if not isinstance(text, str):
                    return "metadata", field, key
        return ()

    def marked(self, meta: Mapping[str, Any], app: str, ref: ObjectRef) -> dict[str, Any]:
        """The metadata with the application's mark."""
        out = dict(meta)
        if self.method != "label":
            marks = {ANNOTATION: str(TrackingId(app, ref))}
            if self.installation:
                marks[INSTALLATION] = self.installation
            out["annotations"] = {**(meta.get("annotations") or {}), **marks}
        if self.method != "annotation":
            out["labels"] = {**(meta.get("labels") or {}), self.label: app[:_LONGEST_LABEL]}
        return out

    def owner(self, meta: Mapping[str, Any], ref: ObjectRef) -> str:
        """The application that an object with this metadata is of; "" if of none."""
        annotations: Mapping[str, str] = meta.get("annotations") or {}
        if self.method == "label":
            return str((meta.get("labels") or {}).get(self.label, ""))
        if self.installation and annotations.get(INSTALLATION) != self.installation:
            return ""
        return owner(annotations, ref)

    def copied(self, meta: Mapping[str, Any], ref: ObjectRef) -> str:
        """The application in whose name an object carries an id that was written for another one; "" where it carries none such."""
        annotations: Mapping[str, str] = meta.get("annotations") or {}
        text = annotations.get(ANNOTATION, "")
        found = parse(text) if text and self.method == "annotation" else None
        if (
            found is None
            or found.is_of(ref)
            or (self.installation and annotations.get(INSTALLATION) != self.installation)
        ):
            return ""
        return found.app

    def written_in(self, meta: Mapping[str, Any]) -> str:
        """The namespace that the mark of a cluster-scoped object carries: its application's destination; "" where it carries none."""
        found = parse(str((meta.get("annotations") or {}).get(ANNOTATION, ""))) if self.method != "label" else None
        return found.ref.namespace if found is not None else ""


def read_tracking(data: Mapping[str, str]) -> Tracking:
    """The settings of `argocd-cm`; a method nobody knows counts as annotation, as in Argo CD."""
    method = data.get("application.resourceTrackingMethod", "")
    return Tracking(
        method=method if method in ("label", "annotation+label") else "annotation",
        label=data.get("application.instanceLabelKey") or LABEL,
        installation=data.get("installationID", ""),
    )


def is_claim_of(claim: ObjectRef, stateful_set: Mapping[str, Any]) -> bool:
    """Whether a claim is one that the StatefulSet makes of its templates: nothing on it says so, and their labels are copied to it."""
    meta, spec = stateful_set.get("metadata") or {}, stateful_set.get("spec") or {}
    names = [str((one.get("metadata") or {}).get("name", "")) for one in spec.get("volumeClaimTemplates") or ()]
    whole = "|".join(re.escape(name) for name in names)
    made = rf"({whole})-{re.escape(str(meta.get('name')))}-[0-9]+"
    return bool(names) and claim.namespace == meta.get("namespace") and re.fullmatch(made, claim.name) is not None
