"""GitTree: the files of one commit, read from the mirror's object store; folders are cached by object id for all trees."""

import posixpath
import threading
from collections import OrderedDict

from kilde.adapters.git.limits import Limits
from kilde.adapters.git.objects import ObjectReader
from kilde.core.basics.errors import PathNotFound, SourceError
from kilde.core.source.git_tree import parse_tree
from kilde.core.source.tree import Entry, EntryKind

Folder = dict[str, tuple[str, Entry]]  # name → (mode, entry)


class Folders:
    """Folders of one mirror by object id, bounded by the number of names they hold; the least used go first."""

    def __init__(self, reader: ObjectReader, limits: Limits) -> None:
        self._reader, self._limits = reader, limits
        self._cached: OrderedDict[str, Folder] = OrderedDict()
        self._names = 0
        self._lock = threading.Lock()

    def read(self, oid: str, *, about: str) -> Folder:
        """The folder with that id. Raises SourceError when the store has none."""
        with self._lock:
            if oid in self._cached:
                self._cached.move_to_end(oid)
                return self._cached[oid]
        stored = self._reader.contents(oid, most=self._limits.tree_bytes, about=about)
        if stored is None or stored.kind != "tree":
            self._reader.broken = True
            raise SourceError(
                "the mirror lacks a folder of this commit", about=about, hint="the next fetch builds it anew"
            )
        folder = parse_tree(stored.content, about=about, oid_bytes=len(oid) // 2)
        with self._lock:
            if oid not in self._cached:
                self._cached[oid] = folder
                self._names += len(folder) + 1
            while self._names > self._limits.cached_entries and len(self._cached) > 1:
                self._names -= len(self._cached.popitem(last=False)[1]) + 1
        return folder


class GitTree:
    """Implements core's Tree over one commit. Synchronous, safe to share between threads."""

    def __init__(self, reader: ObjectReader, folders: Folders, root: str, limits: Limits) -> None:
        self._reader, self._folders, self._limits = reader, folders, limits
        self._root = Entry("", EntryKind.FOLDER, root, 0)

    @property
    def root(self) -> str:
        """The object id of the whole tree."""
        return self._root.oid

    def entry(self, path: str) -> Entry | None:
        found = self.mode_and_entry(path)
        return found[1] if found else None

    def executable(self, path: str) -> bool:
        found = self.mode_and_entry(path)
        return found is not None and found[0] == "100755"

    def mode_and_entry(self, path: str) -> tuple[str, Entry] | None:
        """What is at that path with Git's mode ("100755", …); None if nothing is."""
        if not path:
            return "40000", self._root
        found = "40000", self._root
        walked = ""
        for name in path.split("/"):
            if found[1].kind is not EntryKind.FOLDER:
                return None
            below = self._folders.read(found[1].oid, about=walked or "/").get(name)
            if below is None:
                return None
            found, walked = below, posixpath.join(walked, name)
        return found

    def folder(self, path: str) -> Folder:
        """The names in a folder with their modes. Raises PathNotFound."""
        here = self.entry(path)
        if here is None or here.kind is not EntryKind.FOLDER:
            raise PathNotFound("no such folder", about=path or "/")
        return self._folders.read(here.oid, about=path or "/")

    def list(self, path: str) -> tuple[Entry, ...]:
        return tuple(entry for _, entry in self.folder(path).values())

    def read(self, path: str) -> bytes:
        here = self.entry(path)
        if here is None or here.kind is not EntryKind.FILE:
            raise PathNotFound(_no_file(here), about=path)
        return self._blob(here, path)

    def link(self, path: str) -> str:
        here = self.entry(path)
        if here is None or here.kind is not EntryKind.SYMLINK:
            raise PathNotFound("no such symlink", about=path)
        return self._blob(here, path).decode("utf-8", "backslashreplace")

    def _blob(self, here: Entry, path: str) -> bytes:
        stored = self._reader.contents(here.oid, most=self._limits.blob_bytes, about=path)
        if stored is None or stored.kind != "blob":
            self._reader.broken = True
            raise SourceError("the mirror lacks this file", about=path, hint="the next fetch builds it anew")
        return stored.content


def _no_file(here: Entry | None) -> str:
    if here is None:
        return "no such file"
    what = {EntryKind.FOLDER: "a folder", EntryKind.SYMLINK: "a symlink", EntryKind.SUBMODULE: "a submodule"}
    return f"this is {what[here.kind]}, not a file"
