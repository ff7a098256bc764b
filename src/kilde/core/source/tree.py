"""Tree: the files of one revision, lazy and content-addressed. What a checkout is to other tools, a Tree is to the core.

Paths are relative to the repository's root, with `/`, without a leading or trailing slash; the root itself is "".
A Tree never follows a symlink for its caller and never leaves the repository; `followed` does the first for whoever
wants it, and notices the second. TracedTree notes what was looked at.
"""

import posixpath
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from kilde.core.basics.errors import InvalidInput, LimitExceeded, PathNotFound
from kilde.core.source.object_id import blob_id, folder_id, listing_id

_MAX_LINKS = 255  # symlinks on the way to one file; Go's filepath.EvalSymlinks gives up there, too


class EntryKind(StrEnum):
    """What a path is in Git."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


class Entry(NamedTuple):
    """One name in a folder. `oid` is the Git object id; `size` is in bytes (0 for folders, -1 where not known)."""

    name: str
    kind: EntryKind
    oid: str
    size: int = -1


class Tree(Protocol):
    """The files of one revision. Reads are synchronous; an implementation may do I/O, its caller runs it in a thread."""

    def entry(self, path: str) -> Entry | None:
        """What is at that path, symlinks not followed; None if nothing is."""
        ...

    def list(self, path: str) -> tuple[Entry, ...]:
        """The names in a folder, sorted. Raises PathNotFound if there is no such folder."""
        ...

    def read(self, path: str) -> bytes:
        """The content of a file. Raises PathNotFound, or LimitExceeded when it is too large to be honest."""
        ...

    def link(self, path: str) -> str:
        """What a symlink says, as it is written in it. Raises PathNotFound where there is none."""
        ...


def join(folder: str, relative: str, *, about: str = "") -> str:
    """`folder` joined with `relative`, normalised. Raises InvalidInput when the result leaves the repository."""
    if relative.startswith("/"):
        raise InvalidInput(f"'{relative}' is an absolute path", about=about, hint="write it relative to this file")
    path = posixpath.normpath(posixpath.join(folder, relative))
    if path == ".." or path.startswith("../"):
        raise InvalidInput(f"'{relative}' leaves the repository", about=about or folder)
    return "" if path == "." else path


def misplaced(path: str) -> str:
    """Why a source cannot be at that path, in Argo CD's words; "" where it may be."""
    if path.startswith("/"):
        return "app path is absolute"
    return "app path outside root" if posixpath.normpath(path or ".").split("/")[0] == ".." else ""


def followed(tree: Tree, path: str) -> str:
    """Where a path leads when every symlink in it is followed; the path itself if nothing is there.

    Raises InvalidInput for a link that leaves the tree (an absolute one does), LimitExceeded for links that go in circles.
    """
    entry = tree.entry(path)
    if entry is not None and entry.kind is not EntryKind.SYMLINK:
        return path
    real, ahead, links = "", path.split("/")[::-1], 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            if not real:
                raise InvalidInput("a symlink on the way leaves the repository", about=path)
            real = posixpath.dirname(real)
        if name in ("", ".", ".."):
            continue
        here = posixpath.join(real, name)
        entry = tree.entry(here)
        if entry is None:
            return path
        if entry.kind is not EntryKind.SYMLINK:
            real = here
            continue
        links += 1
        if links > _MAX_LINKS:
            raise LimitExceeded("symlinks that lead to each other", about=path)
        target = tree.link(here)
        if target.startswith("/"):
            raise InvalidInput(f"the symlink '{here}' leaves the repository: it leads to '{target}'", about=path)
        ahead.extend(target.split("/")[::-1])
    return real


@runtime_checkable
class Modes(Protocol):
    """A Tree that knows which files are to be executable."""

    def executable(self, path: str) -> bool: ...


def executable(tree: Tree, path: str) -> bool:
    """Whether the file is to be executable, where the tree knows."""
    known = tree.untraced if isinstance(tree, TracedTree) else tree
    return isinstance(known, Modes) and known.executable(path)


FOLDER = "folder"  # noted of a folder that was only found: its id would change with every file below it
_NOTED_AS = {EntryKind.FILE: "", EntryKind.SYMLINK: "symlink:", EntryKind.SUBMODULE: "submodule:"}


def noted(entry: Entry | None) -> str | None:
    """What a trace keeps of an entry: a file's object id, with what it is where it is none; None where nothing is."""
    if entry is None:
        return None
    return FOLDER if entry.kind is EntryKind.FOLDER else _NOTED_AS[entry.kind] + entry.oid


def noted_list(entries: Iterable[Entry]) -> str:
    """What a trace keeps of a listing: names and kinds, but not what is in the files."""
    return listing_id((entry.name, str(entry.kind)) for entry in entries)


class Trace:
    """What a render looked at: path → what was there, as `noted` has it (None: nothing). Folders that were listed end in `/`.

    `remotes`: what came from elsewhere, address → commit id, or the SHA-256 of a file. Whether that still holds, no Tree can tell.
    """

    __slots__ = ("remotes", "seen")

    def __init__(self, seen: Mapping[str, str | None] | None = None) -> None:
        self.seen: dict[str, str | None] = dict(seen or {})
        self.remotes: dict[str, str] = {}

    def still_true(self, tree: Tree) -> bool:
        """Whether every look at `tree` would find the same: if so, a render of it would give the same."""
        return self.first_change(tree) is None

    def first_change(self, tree: Tree) -> str | None:
        """The first path where `tree` has something else; None if there is none."""
        for path, before in self.seen.items():
            if (_list_now(tree, path[:-1]) if path.endswith("/") else noted(tree.entry(path))) != before:
                return path
        return None


def _list_now(tree: Tree, path: str) -> str | None:
    try:
        return noted_list(tree.list(path))
    except PathNotFound:
        return None


def touched(before: Tree, after: Tree, paths: Iterable[str]) -> frozenset[str]:
    """Which looks at `after` find something else than at `before`, in the words of a trace. `paths`: what differs, without folders."""
    changed = set(paths)
    folders = {
        "/".join(parts[:depth]) for path in changed for parts in (path.split("/"),) for depth in range(len(parts))
    }
    out = set(changed)
    for folder in folders:
        if noted(before.entry(folder)) != noted(after.entry(folder)):
            out.add(folder)
        if _list_now(before, folder) != _list_now(after, folder):
            out.add(folder + "/")
    return frozenset(out)


class TracedTree:
    """A Tree that notes in `trace` everything it was asked for, what was not there included."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.trace = Trace()

    def entry(self, path: str) -> Entry | None:
        found = self._tree.entry(path)
        self.trace.seen[path] = noted(found)
        return found

    def list(self, path: str) -> tuple[Entry, ...]:
        self.trace.seen[path + "/"] = None
        found = self._tree.list(path)
        self.trace.seen[path + "/"] = noted_list(found)
        return found

    def read(self, path: str) -> bytes:
        self.entry(path)
        return self._tree.read(path)

    def link(self, path: str) -> str:
        self.entry(path)
        return self._tree.link(path)

    @property
    def untraced(self) -> Tree:
        """The tree itself, to look at without a trace."""
        return self._tree.untraced if isinstance(self._tree, TracedTree) else self._tree

    def add(self, seen: Mapping[str, str | None]) -> None:
        """Notes what somebody else saw of the same tree, here and wherever this tree's own looks are noted."""
        self.trace.seen.update(seen)
        if isinstance(self._tree, TracedTree):
            self._tree.add(seen)


class MemoryTree:
    """A Tree over a mapping path → bytes: for tests, for charts, for what is made on the fly. `links` maps path → target."""

    def __init__(self, files: dict[str, bytes], links: dict[str, str] | None = None) -> None:
        self._files = dict(files)
        self._links = dict(links or {})
        self._entries: dict[str, Entry] = {}
        self._names: dict[str, list[str]] = {}

    def entry(self, path: str) -> Entry | None:
        return self._known().get(path)

    def list(self, path: str) -> tuple[Entry, ...]:
        known = self._known()
        if path not in self._names:
            raise PathNotFound("no such folder", about=path or "/")
        return tuple(known[name] for name in sorted(self._names[path]))

    def read(self, path: str) -> bytes:
        if path not in self._files:
            raise PathNotFound("no such file", about=path)
        return self._files[path]

    def link(self, path: str) -> str:
        if path not in self._links:
            raise PathNotFound("no such symlink", about=path)
        return self._links[path]

    def _known(self) -> dict[str, Entry]:
        """Every entry, worked out when the first is asked for."""
        if not self._entries:
            found = {
                path: Entry(posixpath.basename(path), EntryKind.FILE, blob_id(c), len(c))
                for path, c in self._files.items()
            }
            for path, target in self._links.items():
                found[path] = Entry(posixpath.basename(path), EntryKind.SYMLINK, blob_id(target.encode()))
            below: dict[str, dict[str, str]] = {"": {}}
            for path, entry in found.items():
                parts = path.split("/")
                for depth in range(len(parts)):
                    below.setdefault("/".join(parts[:depth]), {})[path] = entry.oid
            for folder, inside in below.items():
                found.setdefault(folder, Entry(posixpath.basename(folder), EntryKind.FOLDER, folder_id(inside), 0))
            names: dict[str, list[str]] = {folder: [] for folder in below}
            for path in found:
                if path:
                    names[posixpath.dirname(path)].append(path)
            self._names, self._entries = names, found
        return self._entries
