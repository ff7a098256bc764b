"""Parameter override files, `.argocd-source.yaml` and `.argocd-source-<application>.yaml`, change how their folder is rendered.

Each is a merge patch of the source block; where the source is, it cannot change (Argo CD's mergeSourceParameters).
"""

import posixpath
from typing import Any

from kilde.core.apps.sources import Source, read_source
from kilde.core.basics.errors import InvalidYaml, Place
from kilde.core.basics.reading import Reader
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.source.tree import EntryKind, Tree, followed, join, misplaced

_WHERE = ("repoURL", "path", "chart", "targetRevision", "tagPrefix", "ref", "name")


def overridden(tree: Tree, source: Source, app: str) -> Source:
    """The source as the files of its folder have it for that application. Raises InvalidYaml with the file."""
    if misplaced(source.path):
        return source  # whoever renders it says so
    folder = followed(tree, join("", source.path or "."))
    raw, changed = dict(source.raw), ""
    for name in (".argocd-source.yaml", f".argocd-source-{app}.yaml"):
        path = followed(tree, posixpath.join(folder, name))
        entry = tree.entry(path)
        if entry is not None and entry.kind is EntryKind.FILE:
            raw, changed = merge_patch(raw, _patch(tree.read(path), path)), path
    if not changed:
        return source
    kept = {key: source.raw[key] for key in _WHERE if key in source.raw}
    at = Reader({**{key: value for key, value in raw.items() if key not in _WHERE}, **kept}, "source")
    found = read_source(at, several=True)
    if found is None or at.problems:
        raise InvalidYaml(
            "; ".join(at.problems), about="the source with the parameters of this file", place=Place(changed)
        )
    return found


def _patch(content: bytes, path: str) -> dict[str, Any]:
    for document in read_documents(content, file=path):
        if not isinstance(document.value, dict):
            raise InvalidYaml("must be a map of source parameters", place=Place(path, document.line))
        return document.value
    return {}
