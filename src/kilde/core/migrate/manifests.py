"""Manifests for a config repository, made of objects as a cluster has them: without what the cluster and controllers wrote."""

from kilde.core.basics.values import Object
from kilde.core.objects.typed.last_applied import ANNOTATION as LAST_APPLIED
from kilde.core.plan.tracking import ANNOTATION as TRACKING
from kilde.core.plan.tracking import INSTALLATION

_PASSING = frozenset(
    {
        LAST_APPLIED,
        TRACKING,
        INSTALLATION,
        "argocd.argoproj.io/refresh",
        "argocd.argoproj.io/hydrate",
        "argocd.argoproj.io/deletion-approved",
        "argocd.argoproj.io/application-set-refresh",
    }
)
_NOTIFIED = "notified.notifications.argoproj.io"  # what the notifications controller keeps for itself


def declared(body: Object) -> Object:
    """What a person declared: kind, name, labels, annotations, finalizers and spec."""
    meta = body.get("metadata") or {}
    kept: Object = {"name": meta.get("name", "")}
    if meta.get("namespace"):
        kept["namespace"] = meta["namespace"]
    annotations = {
        key: text for key, text in (meta.get("annotations") or {}).items() if key not in _PASSING and key != _NOTIFIED
    }
    for key, found in (("labels", meta.get("labels")), ("annotations", annotations)):
        if found:
            kept[key] = dict(sorted(found.items()))
    own = [name for name in meta.get("finalizers") or () if not str(name).startswith(_GIVEN)]
    if own:
        kept["finalizers"] = own
    out: Object = {"apiVersion": body.get("apiVersion", ""), "kind": body.get("kind", ""), "metadata": kept}
    if "spec" in body:
        out["spec"] = body["spec"]
    return out


_GIVEN = (
    "pre-delete-finalizer.argocd.argoproj.io",
    "post-delete-finalizer.argocd.argoproj.io",
)  # for its hooks, by the controller


def file_of(kind: str, name: str, taken: set[str]) -> str:
    """A path that no other manifest has; the name may hold nothing that leaves the folder."""
    folder = {"Application": "applications", "AppProject": "projects", "ApplicationSet": "applicationsets"}[kind]
    safe = "".join(c if c.isalnum() or c in ".-_" else "-" for c in name).strip(".") or "unnamed"
    path, number = f"{folder}/{safe}.yaml", 1
    while path in taken:
        number += 1
        path = f"{folder}/{safe}-{number}.yaml"
    taken.add(path)
    return path
