"""Flux's sources: what an Application's `repoURL`, `targetRevision` and `chart` are for each, and what they cannot say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.migrate.flux.reading import Place, mapping, text
from kilde.core.migrate.model import Note
from kilde.core.source.repository_url import redact

OCI = "oci://"
_REFS = ("refs/heads/", "refs/tags/")
_FIELDS = {
    "verify": "signatures: name the keys in the AppProject's signatureKeys",
    "ignore": "files are left out of the source: Kilde reads what the path holds",
    "include": "other repositories are copied into this one: name them as further sources",
    "proxySecretRef": "the proxy stands in the repository's Secret (proxy)",
    "certSecretRef": "certificates stand in the repository's Secret, or in argocd-tls-certs-cm",
    "layerSelector": "one layer of an artifact cannot be chosen: push one that has no other",
    "recurseSubmodules": "submodules are not fetched: name their repositories as further sources",
    "serviceAccountName": "the registry's credentials stand in the repository's Secret",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where manifests or charts come from. `chart`: given by the source itself."""

    url: str
    revision: str = ""
    chart: str = ""


def revision_of(ref: Mapping[str, Any]) -> str:
    """Flux's order: commit, name, semver, tag, branch; `master` without any."""
    for key in ("commit", "name", "semver", "tag", "branch"):
        found = text(ref, key)
        for prefix in _REFS if key == "name" else ():
            found = found.removeprefix(prefix)
        if found:
            return found
    return "master"


def origin(found: Object | None, wanted: Place) -> tuple[Origin | None, list[Note]]:
    """None where no Application can name it; why is in the notes, and so is what does not come with it."""
    if found is None:
        return None, [Note(kind="person", about=str(wanted), text="is not there, though something refers to it")]
    spec = mapping(found, "spec")
    url = text(spec, "url")
    notes = [
        Note(kind="person", about=str(wanted), text=f"{name}: {told}")
        for name, told in _FIELDS.items()
        if spec.get(name)
    ]
    if secret := text(mapping(spec, "secretRef"), "name"):
        told = f"credentials of {redact(url)} in Secret {secret}: make a Secret with the label argocd.argoproj.io/secret-type: repository"
        notes.append(Note(kind="person", about=str(wanted), text=told))
    if text(spec, "provider") not in ("", "generic"):
        told = (
            f"credentials by the identity of a cloud ({text(spec, 'provider')}): make a repository Secret with a token"
        )
        notes.append(Note(kind="person", about=str(wanted), text=told))
    if spec.get("suspend") is True:
        notes.append(
            Note(kind="differs", about=str(wanted), text="is suspended; Kilde asks its repository all the same")
        )
    ref = mapping(spec, "ref")
    if wanted.kind == "GitRepository":
        return Origin(url, revision_of(ref)), notes
    if wanted.kind == "HelmRepository":
        return Origin(url), notes
    if wanted.kind == "OCIRepository":
        if text(ref, "digest"):
            notes.append(
                Note(kind="person", about=str(wanted), text="is held at a digest; Kilde takes tags and ranges")
            )
        return Origin(url, text(ref, "semver") or text(ref, "tag") or "latest"), notes
    told = f"no Application can name a {wanted.kind}: move its files into Git or a registry"
    return None, [*notes, Note(kind="person", about=str(wanted), text=told)]


def as_chart(found: Origin) -> Origin:
    """A chart's own address, taken apart into its repository and its name."""
    repository, _, chart = found.url.rstrip("/").rpartition("/")
    return Origin(repository, found.revision, chart)
