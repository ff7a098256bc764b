"""What Kustomizations and HelmReleases have in common: whom they wait for, as whom they act, whether they rest."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.migrate.flux.reading import Place, items, mapping, text, texts
from kilde.core.migrate.model import Note

DEPENDS = "kilde.dev/depends-on"
IN_CLUSTER = "https://kubernetes.default.svc"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
_NAME = re.compile(r"[A-Za-z0-9.-]+")  # a dot is taken for itself
NameOf = Callable[[Place], str]  # the Application that something of Flux becomes; "" where it becomes none


def shared_notes(about: Place, spec: Mapping[str, Any], unmapped: Mapping[str, str]) -> list[Note]:
    """What has no field in an Application: of both kinds, and of the kind whose `unmapped` fields these are, with what is to be done."""
    notes = []
    if spec.get("kubeConfig"):
        told = "it deploys into another cluster: make a cluster Secret of its kubeconfig and name it in the destination"
        notes.append(Note(kind="person", about=str(about), text=told))
    if account := text(spec, "serviceAccountName"):
        told = f"it acts as service account {account}: name that in the AppProject's destinationServiceAccounts"
        notes.append(Note(kind="person", about=str(about), text=told))
    if spec.get("suspend") is True:
        told = "it is suspended: its Application is not synced by itself"
        notes.append(Note(kind="differs", about=str(about), text=told))
    found = (f"{key}: {told}" for key, told in unmapped.items() if spec.get(key))
    return notes + [Note(kind="person", about=str(about), text=told) for told in found]


def depends(about: Place, spec: Mapping[str, Any], name_of: NameOf) -> tuple[dict[str, str], list[Note]]:
    """The annotation that waits for the same."""
    names, notes = [], []
    for one in items(spec, "dependsOn"):
        other = Place(about.kind, text(one, "namespace") or about.namespace, text(one, "name"))
        name = name_of(other)
        if not name:
            notes.append(
                Note(kind="person", about=str(about), text=f"it depends on {other}, which becomes no Application")
            )
            continue
        if text(one, "readyExpr"):
            told = f"readyExpr of {other}: its Application has to be Synced and Healthy instead"
            notes.append(Note(kind="person", about=str(about), text=told))
        names.append(f"app/{name}")
    return ({DEPENDS: ", ".join(names)} if names else {}), notes


def ignored(about: Place, rules: Iterable[Mapping[str, Any]]) -> tuple[list[Object], list[Note]]:
    """What is left alone in objects: paths by target. Flux's targets are expressions and selectors, an Application's are names."""
    out: list[Object] = []
    notes = []
    for one in rules:
        target = mapping(one, "target")
        named = {key: text(target, key) for key in ("group", "kind", "name", "namespace") if text(target, key)}
        odd = [key for key in ("version", "labelSelector", "annotationSelector") if target.get(key)]
        odd += [key for key, word in named.items() if not _NAME.fullmatch(word)]
        if odd:
            told = f"ignore: {', '.join(odd)} of a target cannot be said in ignoreDifferences: name the objects"
            notes.append(Note(kind="person", about=str(about), text=told))
            continue
        out.append({"group": "*", "kind": "*", **named, "jsonPointers": texts(one, "paths")})
    return out, notes


def policy(spec: Mapping[str, Any], *, prune: bool) -> dict[str, Any]:
    """Automated unless suspended, tried again for ever as Flux does."""
    out: dict[str, Any] = {}
    if spec.get("suspend") is not True:
        out["automated"] = {"prune": prune, "selfHeal": True}
    if pause := text(spec, "retryInterval"):
        out["retry"] = {"limit": -1, "backoff": {"duration": pause, "factor": 1, "maxDuration": pause}}
    return out


def application(
    name: str,
    namespace: str,
    project: str,
    source: Object,
    into: str,
    *,
    annotations: Mapping[str, str],
    policy: Object,
    prune: bool,
) -> Object:
    """The manifest."""
    meta: Object = {"name": name, "namespace": namespace}
    if annotations:
        meta["annotations"] = dict(annotations)
    if prune:
        meta["finalizers"] = [FINALIZER]
    spec: Object = {
        "project": project,
        "source": source,
        "destination": {"server": IN_CLUSTER, "namespace": into},
    }
    if policy:
        spec["syncPolicy"] = policy
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": spec}


def truth(spec: Mapping[str, Any], *path: str) -> bool:
    """Whether the flag at this path is set."""
    found: Any = spec
    for key in path[:-1]:
        found = mapping(found, key)
    return found.get(path[-1]) is True
