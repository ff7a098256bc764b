"""MountedTree: a commit's tree with those of its submodules in their places."""

import posixpath
from collections.abc import Mapping

from kilde.adapters.git.tree import GitTree
from kilde.core.source.tree import Entry, EntryKind

Modes = tuple[str, Entry]


class MountedTree:
    """Implements core's Tree. `mounts`: path → the tree that lies there."""

    def __init__(self, tree: GitTree, mounts: Mapping[str, "MountedTree"]) -> None:
        self._tree, self._mounts = tree, dict(mounts)

    @property
    def root(self) -> str:
        """The object id of the whole tree, without the submodules'."""
        return self._tree.root

    def _mounted(self, path: str) -> tuple["MountedTree", str] | None:
        for mount, tree in self._mounts.items():
            if path == mount or path.startswith(f"{mount}/"):
                return tree, path[len(mount) + 1 :]
        return None

    def mode_and_entry(self, path: str) -> Modes | None:
        """What is at a path with Git's mode; a submodule that is here is a folder."""
        found = self._mounted(path)
        if found is None:
            return self._tree.mode_and_entry(path)
        tree, rest = found
        if rest:
            return tree.mode_and_entry(rest)
        return "40000", Entry(posixpath.basename(path), EntryKind.FOLDER, tree.root, 0)

    def entry(self, path: str) -> Entry | None:
        found = self.mode_and_entry(path)
        return found[1] if found else None

    def list(self, path: str) -> tuple[Entry, ...]:
        found = self._mounted(path)
        if found is not None:
            return found[0].list(found[1])
        entries = self._tree.list(path)
        if not self._mounts:
            return entries
        return tuple(self.entry(posixpath.join(path, entry.name)) or entry for entry in entries)

    def read(self, path: str) -> bytes:
        found = self._mounted(path)
        return found[0].read(found[1]) if found else self._tree.read(path)

    def link(self, path: str) -> str:
        found = self._mounted(path)
        return found[0].link(found[1]) if found else self._tree.link(path)
