"""A Flux Kustomization as an Application: its path is kustomize's, its fields are `spec.source.kustomize`."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.migrate.flux.making import NameOf, application, depends, ignored, policy, shared_notes
from kilde.core.migrate.flux.reading import Place, items, mapping, place, text
from kilde.core.migrate.flux.sources import OCI, Origin
from kilde.core.migrate.model import Note
from kilde.core.objects.yaml_writer import write_document

_UNMAPPED = {
    "postBuild": "variables are not put into files after they are built: use kustomize's replacements, or write them out",
    "healthCheckExprs": "health by CEL: write a check into argocd-cm (resource.customizations.health)",
    "buildMetadata": "where objects come from is not written into them: kilde app explain tells it",
    "force": "what cannot be changed is not made anew: annotate those objects, argocd.argoproj.io/sync-options: Force=true,Replace=true",
}
_KEPT = ("Delete", "WaitForTermination")  # of deletionPolicy: objects go with it, whether it prunes or not
_SAME = {"namePrefix": "namePrefix", "nameSuffix": "nameSuffix", "components": "components", "patches": "patches"}


def as_application(
    body: Object, found: Origin, *, name: str, namespace: str, project: str, name_of: NameOf
) -> tuple[Object, list[Note]]:
    """The manifest, and what it cannot say."""
    at, spec = place(body), mapping(body, "spec")
    notes = shared_notes(at, spec, _UNMAPPED)
    annotations, waits = depends(at, spec, name_of)
    sops, keys = _decryption(at, spec, project)
    if spec.get("healthChecks"):
        told = "healthChecks: the health of every object counts, not of these alone"
        notes.append(Note(kind="differs", about=str(at), text=told))
    if found.url.startswith(OCI):
        told = "its files come from a registry: an artifact of flux push has a media type that has to be pushed as plain tar+gzip"
        notes.append(Note(kind="person", about=str(at), text=told))
    prune = spec.get("prune") is True
    path = text(spec, "path").removeprefix("./").strip("/") or "."
    source: Object = {"repoURL": found.url, "path": path, "targetRevision": found.revision}
    source["kustomize"] = kustomize(spec)
    made = application(
        name,
        namespace,
        project,
        source,
        text(spec, "targetNamespace") or "default",
        annotations={**annotations, **sops},
        policy=policy(spec, prune=prune),
        prune=text(spec, "deletionPolicy") in _KEPT or (prune and text(spec, "deletionPolicy") != "Orphan"),
    )
    rules, unruled = ignored(at, items(spec, "ignore"))
    if rules:
        made["spec"]["ignoreDifferences"] = rules
        made["spec"].setdefault("syncPolicy", {})["syncOptions"] = ["RespectIgnoreDifferences=true"]
    return made, [*notes, *waits, *keys, *unruled]


def kustomize(spec: Mapping[str, Any]) -> Object:
    """The block that adds to the files what Flux adds to them."""
    out: Object = {"generate": True}
    out |= {ours: spec[theirs] for theirs, ours in _SAME.items() if spec.get(theirs)}
    if space := text(spec, "targetNamespace"):
        out["namespace"] = space
    if spec.get("ignoreMissingComponents") is True:
        out["ignoreMissingComponents"] = True
    if images := [image(one) for one in items(spec, "images") if text(one, "name")]:
        out["images"] = images
    common = mapping(spec, "commonMetadata")
    if labels := mapping(common, "labels"):
        out |= {"commonLabels": labels, "labelWithoutSelector": True}
    if annotations := mapping(common, "annotations"):
        out["patches"] = [*(out.get("patches") or []), _annotating(annotations)]
    return out


def _annotating(annotations: Mapping[str, Any]) -> Object:
    """A patch of every object: kustomize's own annotations would be in pod templates, too, and start pods anew."""
    body = {"apiVersion": "v1", "kind": "Any", "metadata": {"name": "any", "annotations": dict(annotations)}}
    return {"patch": write_document(body), "target": {"kind": ".*"}}


def image(one: Mapping[str, Any]) -> str:
    """`old=new:tag@digest`, as `kustomize edit set image` takes it."""
    old, new, tag, digest = (text(one, key) for key in ("name", "newName", "newTag", "digest"))
    return f"{old}={new or old}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"


def _decryption(at: Place, spec: Mapping[str, Any], project: str) -> tuple[dict[str, str], list[Note]]:
    block = mapping(spec, "decryption")
    if not block:
        return {}, []
    if text(block, "provider") != "sops":
        told = f"decryption by {text(block, 'provider')}: not known here"
        return {}, [Note(kind="person", about=str(at), text=told)]
    secret = text(mapping(block, "secretRef"), "name") or "(none is named)"
    told = f"SOPS files: copy the age keys of Secret {secret} beside the Applications, with the label kilde.dev/sops-keys: {project}"
    return {"kilde.dev/sops": "age"}, [Note(kind="person", about=str(at), text=told)]
