"""FolderTree: a folder on disk as a Tree, for `kilde build` and for working copies."""

import os
import re
import stat
from typing import TYPE_CHECKING

from kilde.core.basics.errors import InvalidInput, LimitExceeded, PathNotFound, Place
from kilde.core.source.object_id import blob_id
from kilde.core.source.tree import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kilde.core.objects.manifest import Manifest
    from kilde.core.render import RenderSource

_LARGEST = 64 << 20  # bytes


class FolderTree:
    """The files below `root`, each read at most once: what was read first stays true for this tree.

    Symlinks are entries of kind SYMLINK and are not followed; nothing is found through one. Without `ids` all files have the same
    id, and none is read to be found: enough for one build of which nobody asks what it read. Of a file that is too large to be read
    the id is that of its size.
    """

    def __init__(self, root: "str | Path", *, largest: int = _LARGEST, ids: bool = True) -> None:
        self._root, self._largest = os.path.realpath(root), largest
        self._ids = ids
        self._read: dict[str, bytes] = {}
        self._files: dict[str, Entry] = {}
        self._through_links: dict[str, bool] = {}

    def entry(self, path: str) -> Entry | None:
        """What is at a path; a file's id is that of its content."""
        if path in self._files:
            return self._files[path]
        place = self._place(path)
        folder, _, name = path.rpartition("/")
        try:
            if self._is_behind_link(folder):
                return None
            found = os.lstat(place)
            if stat.S_ISDIR(found.st_mode):
                return Entry(name, EntryKind.FOLDER, f"folder:{path}", 0)
            if stat.S_ISLNK(found.st_mode):
                oid = blob_id(os.fsencode(os.readlink(place))) if self._ids else ""
                return Entry(name, EntryKind.SYMLINK, oid)
            if stat.S_ISREG(found.st_mode):
                self._files[path] = self._file(path, name, found.st_size)
                return self._files[path]
        except (OSError, ValueError):
            # a name that the system refuses (too long, with a zero byte) is the name of nothing
            return None
        return None

    def _file(self, path: str, name: str, size: int) -> Entry:
        if not self._ids:
            return Entry(name, EntryKind.FILE, "", size)
        if size > self._largest:
            return Entry(name, EntryKind.FILE, f"size:{size}", size)
        content = self.read(path)
        return Entry(name, EntryKind.FILE, blob_id(content), len(content))

    def _place(self, path: str) -> str:
        return os.path.join(self._root, path)

    def _is_behind_link(self, folder: str) -> bool:
        if folder not in self._through_links:
            place = self._place(folder).rstrip("/") or "/"
            self._through_links[folder] = os.path.realpath(place) != place
        return self._through_links[folder]

    def list(self, path: str) -> tuple[Entry, ...]:
        """The names in a folder, sorted. Raises PathNotFound if there is no such folder."""
        try:
            names = sorted(os.listdir(self._place(path)))
        except OSError as error:
            raise PathNotFound("no such folder", about=path or "/") from error
        prefix = f"{path}/" if path else ""
        return tuple(found for name in names if (found := self.entry(prefix + name)) is not None)

    def read(self, path: str) -> bytes:
        """The content of a file. Raises PathNotFound, or LimitExceeded for one that is too large."""
        found = self._read.get(path)
        if found is not None:
            return found
        try:
            with open(self._place(path), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > self._largest:
                    raise LimitExceeded(f"is {size} bytes, more than {self._largest}", about=path)
                content = file.read()
        except OSError as error:
            raise PathNotFound("no such file", about=path) from error
        self._read[path] = content
        return content

    @property
    def files_read(self) -> frozenset[str]:
        """The files that somebody has read."""
        return frozenset(self._read)

    def link(self, path: str) -> str:
        """What a symlink says; an absolute path is given as it is seen from the link's folder. Raises PathNotFound."""
        try:
            target = os.readlink(self._place(path))
        except OSError as error:
            raise PathNotFound("no such symlink", about=path) from error
        if not target.startswith("/"):
            return target
        folder = self._place(path).rpartition("/")[0]
        return "../" * len([name for name in folder.split("/") if name]) + target.lstrip("/")


def manifests_of(path: "Path", tell: "Callable[[str], None]" = lambda _: None) -> "tuple[Manifest, ...]":
    """The objects that a file, a folder with those below it, or a kustomization means; places are told as seen from here.

    `tell` is told of each manifest file of a folder that is passed over because it has none. Raises InvalidInput, PathNotFound.
    """
    from dataclasses import replace

    from kilde.core.objects.manifest import refuse_mistakes
    from kilde.core.render import render  # `kilde build` has no use for these
    from kilde.core.render.directory import EXTENSIONS

    place = path.resolve()
    if not place.exists():
        raise PathNotFound("no such file or folder", about=str(path))
    tree, source = FolderTree(place.anchor), _source(place)
    try:
        found = render(tree, source).manifests
        refuse_mistakes(found)
        if not found and place.is_file() and (unread := _unread(tree, _below_root(place))) is not None:
            raise unread
    except InvalidInput as error:
        if error.place is None:
            raise
        raise type(error)(error.what, about=error.about, hint=error.hint, place=_from_here(error.place)) from error
    if not found:
        raise InvalidInput("there is no Kubernetes object in it", about=str(path))
    if place.is_dir() and source.directory is not None:
        unused = tree.files_read - {one.origin.file for one in found if one.origin}
        for file in sorted(file for file in unused if file.endswith(EXTENSIONS)):
            unread = _unread(tree, file)
            why = unread.what if unread is not None else "there is no Kubernetes object in it"
            tell(f"{_from_here((unread and unread.place) or Place(file))}: passed over, for {why}")
    return tuple(replace(one, origin=_from_here(one.origin)) if one.origin else one for one in found)


def _unread(tree: FolderTree, file: str) -> InvalidInput | None:
    """Why a file of YAML cannot be read at all, if it cannot."""
    from kilde.core.objects.yaml_reader import read_documents

    if not file.endswith((".yaml", ".yml")):
        return None
    try:
        for _ in read_documents(tree.read(file), file=file, duplicates="last"):
            pass
    except InvalidInput as error:
        return error
    return None


def _source(place: "Path") -> "RenderSource":
    from kilde.core.render import DirectoryOptions, RenderSource
    from kilde.core.render.kustomize.kustomization import FILE_NAMES

    if place.is_dir():
        kustomized = any((place / name).is_file() for name in FILE_NAMES)
        return RenderSource(path=_below_root(place), directory=None if kustomized else DirectoryOptions(recurse=True))
    return RenderSource(path=_below_root(place.parent), directory=DirectoryOptions(include=_literally(place.name)))


def _below_root(place: "Path") -> str:
    return place.relative_to(place.anchor).as_posix()


def _from_here(place: Place) -> Place:
    """A place in the tree that begins at the root, as the working folder sees it."""
    return Place(os.path.relpath(f"/{place.file}"), place.line, place.column)


def _literally(name: str) -> str:
    """A glob that matches only this name."""
    return re.sub(r"([*?\[\]{}\\])", r"\\\1", name)
