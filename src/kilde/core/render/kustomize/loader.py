"""Loader: what one kustomization may read, and how one leads to the next without going in circles or out of the tree."""

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from kilde.core.basics.errors import LimitExceeded, Place, RenderFailed
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.render.cache import RenderCache
from kilde.core.render.kustomize.budget import Budget
from kilde.core.source.tree import EntryKind, Tree, join

MAX_DEPTH = 60  # kustomizations inside one another; also bounds the recursion
Remote = Callable[[str], "Loader | None"]


class Loader(NamedTuple):
    """Reads for the kustomization in `root`. `chain` holds the roots that led here, the first one first."""

    tree: Tree
    root: str
    cache: RenderCache
    budget: Budget
    chain: tuple[str, ...] = ()
    restricted: bool = True
    remote: "Remote | None" = None

    def path(self, relative: str) -> str:
        """A file's path in the tree. Raises RenderFailed if it lies outside of the kustomization's folder."""
        path = join(self.root, relative)
        if self.restricted and self.root and path != self.root and not path.startswith(self.root + "/"):
            raise RenderFailed(
                f"'{relative}' is not in or below '{self.root}'",
                about="security",
                hint="a kustomization reads files only from its own folder; use a base, or load restrictor none",
            )
        return path

    def has_file(self, relative: str) -> bool:
        entry = self.tree.entry(self.path(relative))
        return entry is not None and entry.kind is EntryKind.FILE

    def read(self, relative: str) -> bytes:
        """The content of a file. Raises RenderFailed if there is none, or if it is a folder or a symlink."""
        path = self.path(relative)
        self._demand(path, relative, EntryKind.FILE)
        return self.tree.read(path)

    def _demand(self, path: str, relative: str, kind: EntryKind) -> None:
        entry = self.tree.entry(path)
        if entry is None:
            raise RenderFailed(f"no such {kind.value}", about=relative)
        if entry.kind is EntryKind.SYMLINK:
            raise RenderFailed("is a symlink, which is not followed", about=relative, place=Place(path))
        if entry.kind is EntryKind.SUBMODULE:
            raise RenderFailed("lies in a Git submodule, which is not fetched", about=relative, place=Place(path))
        if entry.kind is not kind:
            raise RenderFailed(f"is a {entry.kind.value}, not a {kind.value}", about=relative, place=Place(path))

    def documents(self, relative: str, *, copied: bool = True) -> list[Document]:
        """The documents of a resource file, as kustomize reads them; yours to change where `copied`."""
        path = self.path(relative)
        self._demand(path, relative, EntryKind.FILE)
        entry = self.tree.entry(path)
        assert entry is not None
        key = (entry.oid, path)
        found = self.cache.documents.get(key)
        if found is None:
            content = self.tree.read(path)
            read = read_documents(content, file=path, mode="kustomize")
            found = [document if _is_list(document.value) else document.without_text() for document in read]
            self.cache.documents.put(key, found, len(content))
        if not copied:
            return found
        return [document.copy() for document in found]

    def folder(self, relative: str) -> "Loader":
        """The loader of a base or component. Raises RenderFailed for a circle, a missing folder, a remote address."""
        if is_remote(relative):
            found = self.remote(relative) if self.remote else None
            if found is None:
                raise RenderFailed(
                    "remote bases are not allowed here",
                    about=relative,
                    hint="copy it into the repository and refer to the copy",
                )
            return found
        path = join(self.root, relative)
        self._demand(path, relative, EntryKind.FOLDER)
        if len(self.chain) >= MAX_DEPTH:
            raise LimitExceeded(f"kustomizations nested deeper than {MAX_DEPTH}", about=path)
        for above in (*self.chain, self.root):
            if closes_circle(path, above):
                trail = " -> ".join((*self.chain, self.root, path))
                raise RenderFailed(
                    f"cycle detected: candidate root '{path}' contains visited root '{above}'", about=trail
                )
        return self._replace(root=path, chain=(*self.chain, self.root))


def closes_circle(root: str, above: str) -> bool:
    """Whether a kustomization in `root` may not be used by one in `above`: it is the same, or lies around it."""
    return root == above or above.startswith(root + "/") or (not root and bool(above))


def _is_list(value: object) -> bool:
    """Whether a document is a list of objects, whose lines will be asked for."""
    return isinstance(value, dict) and str(value.get("kind")).endswith("List")


def is_remote(address: str) -> bool:
    """Whether a resource names a repository or a URL instead of a path."""
    if "://" in address or address.startswith("git::"):
        return True
    head = address.partition("/")[0]
    return ("@" in head and ":" in address) or head.lower() in ("github.com", "gitlab.com", "bitbucket.org")


def base_name(path: str) -> str:
    """The last part of a path."""
    return posixpath.basename(path)
