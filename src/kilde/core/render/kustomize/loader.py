"""Loader: what one kustomization may read, and how one leads to the next without going in circles or out of the tree."""

import posixpath
from typing import NamedTuple

from kilde.core.basics.errors import KildeError, LimitExceeded, Place, RenderFailed
from kilde.core.basics.reading import did_you_mean
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.render.cache import RenderCache
from kilde.core.render.kustomize.budget import Budget
from kilde.core.render.kustomize.comments import may_have_comments
from kilde.core.render.kustomize.remote import RemoteRepository, is_web_file, parse_remote, told
from kilde.core.render.outside import NOTHING_OUTSIDE, Fetched, Outside
from kilde.core.source.tree import EntryKind, Tree, followed, join

MAX_DEPTH = 60  # kustomizations inside one another; also bounds the recursion
_NOT_HERE = "copy it into the repository and refer to the copy"


class Loader(NamedTuple):
    """Reads for the kustomization in `root`. `chain` holds the roots that led here, the first one first.

    `fetched` is the repository that `tree` is of, where that is a remote one; `addresses` are those that led here.
    """

    tree: Tree
    root: str
    cache: RenderCache
    budget: Budget
    chain: tuple[str, ...] = ()
    restricted: bool = True
    outside: Outside = NOTHING_OUTSIDE
    fetched: "Fetched | None" = None
    addresses: tuple[str, ...] = ()

    @property
    def rooted(self) -> bool:
        """Whether the tree's root is the machine's, so that absolute paths mean something."""
        return self.outside.rooted and self.fetched is None

    def path(self, relative: str) -> str:
        """A file's path in the tree, symlinks followed. Raises RenderFailed if it lies outside of the kustomization's folder."""
        if is_web_file(relative):
            return relative
        absolute = relative.startswith("/") and self.rooted
        path = posixpath.normpath(relative).strip("/") if absolute else join(self.root, relative)
        path = followed(self.tree, path)
        if self.restricted and self.root and path != self.root and not path.startswith(self.root + "/"):
            raise RenderFailed(
                f"'{relative}' is not in or below '{self.root}'",
                about="security",
                hint="a kustomization reads files only from its own folder; use a base, or load restrictor none",
            )
        return path

    def place(self, relative: str) -> str:
        """The file's name for people: its path in the tree, behind the repository's address where that is a remote one."""
        path = self.path(relative)
        return f"{told(self.addresses[-1])}: {path}" if self.fetched and not is_web_file(relative) else path

    def has_file(self, relative: str) -> bool:
        """Whether there is a file in the tree; what is behind an http(s) address is not in it."""
        if is_web_file(relative):
            return False
        entry = self.tree.entry(self.path(relative))
        return entry is not None and entry.kind is EntryKind.FILE

    def read(self, relative: str) -> bytes:
        """The content of a file. Raises RenderFailed if there is none, or if it is a folder; SourceUnavailable for a remote one."""
        if is_web_file(relative):
            if self.outside.remotes is None:
                raise RenderFailed("remote files are not allowed here", about=told(relative), hint=_NOT_HERE)
            return self.outside.remotes.file(relative)
        path = self.path(relative)
        self._demand(path, relative, EntryKind.FILE)
        return self.tree.read(path)

    def _demand(self, path: str, relative: str, kind: EntryKind) -> None:
        entry = self.tree.entry(path)
        if entry is None:
            raise RenderFailed(f"no such {kind.value}{self.near(path)}", about=relative)
        if entry.kind is EntryKind.SYMLINK:
            raise RenderFailed("is a symlink that leads nowhere", about=relative, place=Place(path))
        if entry.kind is EntryKind.SUBMODULE:
            raise RenderFailed("lies in a Git submodule, which is not fetched", about=relative, place=Place(path))
        if entry.kind is not kind:
            raise RenderFailed(f"is a {entry.kind.value}, not a {kind.value}", about=relative, place=Place(path))

    def near(self, path: str) -> str:
        """` (did you mean 'x'?)` with a name that is in the folder where this path is missing; nothing where none is like it."""
        folder, _, name = path.rpartition("/")
        try:
            return did_you_mean(name, [entry.name for entry in self.tree.list(folder)])
        except KildeError:
            return ""

    def documents(self, relative: str, *, copied: bool = True) -> list[Document]:
        """The documents of a resource file, as kustomize reads them; yours to change where `copied`."""
        if is_web_file(relative):
            return read_documents(self.read(relative), file=relative, mode="kustomize")
        path = self.path(relative)
        self._demand(path, relative, EntryKind.FILE)
        entry = self.tree.entry(path)
        assert entry is not None
        key = (entry.oid, self.place(relative))
        found = self.cache.documents.get(key)
        if found is None:
            content = self.tree.read(path)
            read = read_documents(content, file=key[1], mode="kustomize")
            found = [document if _needs_text(document) else document.without_text() for document in read]
            self.cache.documents.put(key, found, len(content))
        if not copied:
            return found
        return [document.copy() for document in found]

    def folder(self, relative: str) -> "Loader":
        """The loader of a base or component. Raises RenderFailed for a circle, a missing folder, a remote that is refused."""
        if len(self.chain) + len(self.addresses) >= MAX_DEPTH:
            raise LimitExceeded(f"kustomizations nested deeper than {MAX_DEPTH}", about=relative)
        repository = parse_remote(relative)
        if repository is not None:
            return self._remote_folder(repository)
        if relative.startswith("/") and self.rooted:
            raise RenderFailed("a folder cannot be named by an absolute path", about=relative)
        path = followed(self.tree, join(self.root, relative))
        self._demand(path, relative, EntryKind.FOLDER)
        for above in (*self.chain, self.root):
            if closes_circle(path, above):
                trail = " -> ".join((*self.chain, self.root, path))
                raise RenderFailed(
                    f"cycle detected: candidate root '{path}' contains visited root '{above}'", about=trail
                )
        return self._replace(root=path, chain=(*self.chain, self.root))

    def on_disk(self) -> "tuple[Loader, str]":
        """This folder where programs find it: a loader that reads there, and its absolute path. RenderFailed where it is on no disk."""
        if self.fetched is not None:
            folder, tree = self.fetched.export()
            return self._replace(tree=tree), posixpath.join(folder, self.root) if self.root else folder
        if not self.rooted:
            raise RenderFailed("these files are on no disk, where a program could read them", about=self.root or ".")
        return self, f"/{self.root}"

    def _remote_folder(self, wanted: RemoteRepository) -> "Loader":
        """A clone is a world of its own: files only from its folders, bases only from the clone or from other remotes."""
        about = told(wanted.raw)
        if self.outside.remotes is None:
            raise RenderFailed("remote bases are not allowed here", about=about, hint=_NOT_HERE)
        for above in self.addresses:
            if above.startswith(wanted.raw):
                raise RenderFailed(f"cycle detected: it is referenced by '{told(above)}'", about=about)
        fetched = self.outside.remotes.repository(wanted)
        try:
            root = followed(fetched.tree, posixpath.normpath(wanted.path).strip("/") if wanted.path else "")
        except KildeError as error:
            raise RenderFailed(error.what, about=about) from error
        root = "" if root == "." else root
        entry = fetched.tree.entry(root)
        if entry is None or entry.kind is not EntryKind.FOLDER:
            raise RenderFailed(f"the repository has no folder '{wanted.path}' at {fetched.commit}", about=about)
        return self._replace(
            tree=fetched.tree,
            root=root,
            chain=(),
            restricted=True,
            fetched=fetched,
            addresses=(*self.addresses, wanted.raw),
        )


def closes_circle(root: str, above: str) -> bool:
    """Whether a kustomization in `root` may not be used by one in `above`: it is the same, or lies around it."""
    return root == above or above.startswith(root + "/") or (not root and bool(above))


def _needs_text(document: Document) -> bool:
    """Whether a document is a list of objects, whose lines will be asked for, or has comments that mean something."""
    value = document.value
    is_list = isinstance(value, dict) and str(value.get("kind")).endswith("List")
    return is_list or may_have_comments(document.text)


def base_name(path: str) -> str:
    """The last part of a path."""
    return posixpath.basename(path)
