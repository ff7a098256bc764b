"""What a repository holds before anything is rendered: Argo CD's objects and CRDs as they are written, kustomizations, charts."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.check.installation import CONFIG_MAP, is_settings
from kilde.core.check.tree_files import files
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.render.directory import unpacked
from kilde.core.render.kustomize.kustomization import FILE_NAMES
from kilde.core.source.tree import Tree, join

_YAML = (".yaml", ".yml", ".json")
_LARGEST = 8 << 20
_ARGO = "argoproj.io"
_WORDS = (_ARGO.encode(), b"CustomResourceDefinition", CONFIG_MAP.encode())
KINDS = frozenset({(_ARGO, "Application"), (_ARGO, "ApplicationSet"), (_ARGO, "AppProject")})
_NAMES = frozenset({"Application", "ApplicationSet", "AppProject", "CustomResourceDefinition", "ConfigMap"})
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """`written`: Applications, sets, projects, CRDs and argocd-cm in files, those that a kustomization names apart in `named`.

    `kustomizations` are folders, without components, that no other one names; `charts` are those that are in no other chart; `unread`
    is what is wrong with files that seem to hold such objects.
    """

    written: tuple[Manifest, ...]
    named: tuple[Manifest, ...]
    unread: tuple[InvalidInput, ...] = ()
    kustomizations: tuple[str, ...]
    charts: tuple[str, ...]


def take_inventory(tree: Tree) -> Inventory:
    """Reads every YAML file that may hold something of it. What cannot be read is left to whoever renders it."""
    paths = [path for path in files(tree) if path.endswith(_YAML) or posixpath.basename(path) in FILE_NAMES]
    charts = _charts(paths)
    kustomizations = {posixpath.dirname(path): path for path in paths if posixpath.basename(path) in FILE_NAMES}
    outside = [path for path in paths if not any(path.startswith(f"{chart}/" if chart else "") for chart in charts)]
    built, mentioned, components = _kustomized(tree, kustomizations)
    unread: list[InvalidInput] = []
    found = [one for path in outside if path not in kustomizations.values() for one in interesting(tree, path, unread)]
    return Inventory(
        written=tuple(each for each in found if _file(each) not in mentioned),
        named=tuple(each for each in found if _file(each) in mentioned),
        kustomizations=tuple(
            folder
            for folder in sorted(kustomizations)
            if folder not in built and folder not in components and not any(_below(folder, chart) for chart in charts)
        ),
        charts=tuple(charts),
        unread=tuple(unread),
    )


def asked_urls(inventory: Inventory) -> Iterator[str]:
    """The Git repository of every source that Applications and templates of sets name."""
    for source in _sources(inventory):
        if isinstance(source.get("repoURL"), str) and not source.get("chart"):
            yield source["repoURL"]


def followed_branches(inventory: Inventory) -> frozenset[str]:
    """Every target revision that is written."""
    words = (source.get("targetRevision") for source in _sources(inventory))
    return frozenset(word for word in words if isinstance(word, str))


def _sources(inventory: Inventory) -> Iterator[dict[str, Any]]:
    for manifest in (*inventory.written, *inventory.named):
        spec = manifest.body.get("spec")
        if manifest.kind == "ApplicationSet" and isinstance(spec, dict):
            template = spec.get("template")
            spec = template.get("spec") if isinstance(template, dict) else None
        if isinstance(spec, dict):
            several = spec.get("sources")
            blocks = several if isinstance(several, list) else [spec.get("source")]
            yield from (block for block in blocks if isinstance(block, dict))


def is_of_interest(manifest: Manifest) -> bool:
    """Whether it is an Application, a set, a project, a CRD or argocd-cm."""
    kind = (manifest.group, manifest.kind)
    return kind in KINDS or kind == CRD or is_settings(manifest)


def _charts(paths: Iterable[str]) -> list[str]:
    """Folders with a Chart.yaml that are not within another chart."""
    folders = sorted(posixpath.dirname(path) for path in paths if posixpath.basename(path) == "Chart.yaml")
    found: list[str] = []
    for folder in folders:
        if not any(_below(folder, chart) for chart in found):
            found.append(folder)
    return found


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/" if folder else "")


def _kustomized(tree: Tree, kustomizations: Mapping[str, str]) -> tuple[set[str], set[str], set[str]]:
    """Folders that kustomizations name, files they name, and folders of components."""
    folders: set[str] = set()
    mentioned: set[str] = set()
    components: set[str] = set()
    for folder, path in kustomizations.items():
        for document in _documents(tree, path):
            if isinstance(document.value, dict) and document.value.get("kind") == "Component":
                components.add(folder)
            for text in _texts(document.value):
                target = _target(folder, text)
                if target is not None and target in kustomizations and target != folder:
                    folders.add(target)
                elif target is not None:
                    mentioned.add(target)
    return folders, mentioned, components


def interesting(tree: Tree, path: str, unread: list[InvalidInput] | None = None) -> Iterator[Manifest]:
    """The Applications, sets, projects, CRDs and argocd-cm that are written in a file; what is wrong with it is added to `unread`."""
    content = _content(tree, path)
    if not any(word in content for word in _WORDS):
        return
    try:
        for document in read_documents(content, file=path):
            if isinstance(document.value, dict) and (document.value.get("kind") in _NAMES or "items" in document.value):
                for one in filter(is_of_interest, unpacked(document.value, document, document.line)):
                    if one.mistake is not None:
                        raise one.mistake
                    yield one
    except InvalidInput as error:
        if unread is not None:
            unread.append(error)


def _content(tree: Tree, path: str) -> bytes:
    try:
        found = tree.read(path)
    except KildeError:
        return b""
    return found if len(found) <= _LARGEST else b""


def _documents(tree: Tree, path: str) -> list[Document]:
    try:
        return read_documents(_content(tree, path), file=path, duplicates="last")
    except InvalidInput:
        return []


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if depth < 20:
        below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for item in below:
            yield from _texts(item, depth + 1)


def _target(folder: str, text: str) -> str | None:
    if not text or "\n" in text or "://" in text or len(text) > 1000:
        return None
    try:
        return join(folder, text.rpartition("=")[2] or ".")
    except InvalidInput:
        return None


def _file(manifest: Manifest) -> str:
    return manifest.origin.file if manifest.origin else ""
