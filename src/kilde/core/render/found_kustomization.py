"""A kustomization for a folder that has none, of all that is below it: what Flux makes where it finds no file.

Files named `*.yaml` and `*.yml` are resources; a folder below that has a kustomization is one as a whole. What Flux leaves out of every
source (settings of build services, of SOPS and of Flux itself) is left out.
"""

import posixpath
from collections.abc import Iterator

from kilde.core.basics.errors import LimitExceeded
from kilde.core.render.kustomize.kustomization import FILE_NAMES, Kustomization
from kilde.core.source.tree import EntryKind, Tree, followed

_EXTENSIONS = (".yaml", ".yml")
_LEFT_OUT_FOLDERS = frozenset({".git", ".github", ".circleci"})
_LEFT_OUT_FILES = frozenset(
    {
        ".travis.yml",
        ".gitlab-ci.yml",
        "appveyor.yml",
        ".drone.yml",
        "cloudbuild.yaml",
        "codeship-services.yml",
        "codeship-steps.yml",
        ".goreleaser.yml",
        ".sops.yaml",
        ".flux.yaml",
    }
)
_MAX_DEPTH = 100
_MAX_FILES = 20_000


def found_kustomization(tree: Tree, path: str) -> Kustomization:
    """Paths are relative to the folder, in the order of their names. Raises LimitExceeded for more than is honest."""
    resources: list[str] = []
    for name in _resources(tree, path, 0):
        resources.append(posixpath.relpath(name, path) if path else name)
        if len(resources) > _MAX_FILES:
            raise LimitExceeded(f"more than {_MAX_FILES} files", about=path or "/")
    return Kustomization(posixpath.join(path, FILE_NAMES[0]), {"resources": resources})


def has_kustomization(tree: Tree, path: str) -> bool:
    return any(_is_file(tree, posixpath.join(path, name)) for name in FILE_NAMES)


def _resources(tree: Tree, folder: str, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise LimitExceeded(f"folders nested deeper than {_MAX_DEPTH}", about=folder)
    for entry in tree.list(folder):
        full = posixpath.join(folder, entry.name)
        if entry.kind is EntryKind.FOLDER:
            if entry.name in _LEFT_OUT_FOLDERS:
                continue
            if has_kustomization(tree, full):
                yield full
            else:
                yield from _resources(tree, full, depth + 1)
        elif entry.name.endswith(_EXTENSIONS) and entry.name not in _LEFT_OUT_FILES and _is_file(tree, full):
            yield full


def _is_file(tree: Tree, path: str) -> bool:
    found = tree.entry(path)
    if found is not None and found.kind is EntryKind.SYMLINK:
        found = tree.entry(followed(tree, path))
    return found is not None and found.kind is EntryKind.FILE
