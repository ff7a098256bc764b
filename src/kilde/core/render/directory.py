"""A folder of plain manifests, as Argo CD reads it: YAML and JSON files in the order of their paths, lists unpacked."""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kilde.core.basics.errors import InvalidYaml, LimitExceeded, Place
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.object_meta import mistake
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.render.cache import RenderCache
from kilde.core.render.globs import compile_glob
from kilde.core.render.jsonnet import render_jsonnet
from kilde.core.render.outside import NOTHING_OUTSIDE, Outside
from kilde.core.render.source import NOWHERE, DirectoryOptions, Surroundings
from kilde.core.source.tree import EntryKind, Tree, followed

EXTENSIONS = (".yaml", ".yml", ".json", ".jsonnet")
"""What manifests are named, unless the extension filter is off."""

_SKIP_MARKER = b"+argocd:skip-file-rendering"
_LOOKS_LIKE_AN_OBJECT = (b"apiVersion:", b"kind:", b"metadata:")
_MAX_DEPTH = 100
_MAX_FILES = 20_000
_MAX_BYTES = 64 << 20


def render_directory(
    tree: Tree,
    path: str,
    options: DirectoryOptions,
    cache: RenderCache,
    around: Surroundings = NOWHERE,
    outside: Outside = NOTHING_OUTSIDE,
) -> tuple[Manifest, ...]:
    """The objects of all files that the options choose.

    Raises InvalidYaml for a file that looks like a manifest and is none, LimitExceeded for more than is honest,
    InvalidInput for a symlink that leaves the repository, RenderFailed for Jsonnet that gives nothing.
    """
    manifests: list[Manifest] = []
    total = 0
    files = list(_files(tree, path, options))
    evaluated = render_jsonnet(tree, path, [f for f in files if f.endswith(".jsonnet")], options, around, outside)
    for file in files:
        if file in evaluated:
            manifests.extend(_of_jsonnet(evaluated[file], file))
            continue
        content = tree.read(file)
        total += len(content)
        if total > _MAX_BYTES:
            raise LimitExceeded(f"manifests of more than {_MAX_BYTES} bytes together", about=path or "/")
        if not _skipped(content):
            entry = tree.entry(file)
            manifests.extend(_objects(content, file, entry.oid if entry else "", cache))
    return tuple(manifests)


def _of_jsonnet(values: list[Any], file: str) -> Iterator[Manifest]:
    """The objects that a file came to, lists unpacked."""
    document = Document(values, 0, file)
    for value in values:
        for manifest in unpacked(value, document, 0):
            yield replace(manifest, origin=Place(file))


def _files(tree: Tree, path: str, options: DirectoryOptions) -> Iterator[str]:
    include = compile_glob(options.include) if options.include else None
    exclude = compile_glob(options.exclude) if options.exclude else None
    count = 0
    for name, kind in _walk(tree, path, recurse=options.recurse):
        relative = posixpath.relpath(name, path) if path else name
        file = _real_file(tree, name) if kind is EntryKind.SYMLINK else name
        if file is None or (not options.disable_extension_filter and not file.endswith(EXTENSIONS)):
            continue
        if (exclude and exclude.fullmatch(relative)) or (include and not include.fullmatch(relative)):
            continue
        count += 1
        if count > _MAX_FILES:
            raise LimitExceeded(f"more than {_MAX_FILES} files", about=path or "/")
        yield file


def _real_file(tree: Tree, path: str) -> str | None:
    """The file that a symlink leads to; None for one to nothing or to a folder, which Argo CD passes over."""
    real = followed(tree, path)
    found = tree.entry(real)
    return real if found is not None and found.kind is EntryKind.FILE else None


def _walk(tree: Tree, path: str, *, recurse: bool) -> Iterator[tuple[str, EntryKind]]:
    """Files below a folder in the order of their names, folders entered where they stand."""
    stack = [(path, iter(tree.list(path)))]
    while stack:
        folder, entries = stack[-1]
        entry = next(entries, None)
        if entry is None:
            stack.pop()
            continue
        full = f"{folder}/{entry.name}" if folder else entry.name
        if entry.kind is EntryKind.FOLDER:
            if recurse:
                if len(stack) > _MAX_DEPTH:
                    raise LimitExceeded(f"folders nested deeper than {_MAX_DEPTH}", about=folder)
                stack.append((full, iter(tree.list(full))))
        elif entry.kind is not EntryKind.SUBMODULE:
            yield full, entry.kind


def _skipped(content: bytes) -> bool:
    """Whether one of the comments that the file begins with asks not to render it."""
    for line in content.split(b"\n", 20)[:20]:
        stripped = line.strip()
        if stripped and not stripped.startswith(b"#"):
            return False
        if _SKIP_MARKER in stripped:
            return True
    return False


def _objects(content: bytes, file: str, oid: str, cache: RenderCache) -> list[Manifest]:
    key = (oid, f"directory:{file}")
    found = cache.documents.get(key) if oid else None
    if found is not None:
        return found  # type: ignore[no-any-return]
    manifests: list[Manifest] = []
    try:
        for document in read_documents(content, file=file, duplicates="last"):
            found_here = unpacked(document.value, document, document.line)
            manifests.extend(replace(one, fault=document.repeated or one.fault) for one in found_here)
    except InvalidYaml:
        meant = manifests or file.endswith(".json") or all(word in content for word in _LOOKS_LIKE_AN_OBJECT)
        if meant or _is_binary(content):
            raise  # where one of the three words is missing it is values, a dashboard, CI settings: not meant as a manifest
    cache.documents.put(key, manifests, len(content))
    return manifests


def _is_binary(content: bytes) -> bool:
    """Whether a file named like a manifest is no text at all: its objects are not to be taken for removed."""
    return any(byte < 9 or 13 < byte < 27 for byte in content[:8000])  # Git looks at 8,000 bytes too


def unpacked(value: Any, document: Document, line: int) -> Iterator[Manifest]:
    """The objects of a document, those of a list one by one, with what is wrong with each. Raises InvalidYaml for what is none."""
    place = Place(document.file, line)
    if not isinstance(value, dict):
        raise InvalidYaml("an object must be a map", place=place)
    kind = value.get("kind")
    if not isinstance(kind, str) or not kind:
        raise InvalidYaml("Object 'Kind' is missing", place=document.place() if line == document.line else place)
    items = value.get("items")
    if isinstance(items, list) and kind.endswith("List"):
        lines = document.item_lines("items")
        for index, item in enumerate(items):
            yield from unpacked(item, document, lines[index] if index < len(lines) else line)
        return
    fault = mistake(value, lambda path: document.place(path) if path and line == document.line else place)
    yield Manifest(value, place, fault)
