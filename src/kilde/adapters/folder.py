"""FolderTree: a folder on disk as a Tree, for `kilde build` and for working copies."""

import re
from pathlib import Path

from kilde.core.basics.errors import LimitExceeded, PathNotFound
from kilde.core.objects.manifest import Manifest
from kilde.core.render import DirectoryOptions, RenderSource, render
from kilde.core.render.kustomize.kustomization import FILE_NAMES
from kilde.core.source.object_id import blob_id
from kilde.core.source.tree import Entry, EntryKind

_LARGEST = 64 << 20  # bytes


class FolderTree:
    """The files below `root`, each read at most once: what was read first stays true for this tree.

    Symlinks to folders are followed. A symlink to a file is followed if the file lies in the link's own folder or below
    it, or anywhere when not `contained`; any other link is an entry of kind SYMLINK.
    """

    def __init__(self, root: str | Path, *, contained: bool = True, largest: int = _LARGEST) -> None:
        self._root, self._contained, self._largest = Path(root), contained, largest
        self._read: dict[str, bytes] = {}

    def entry(self, path: str) -> Entry | None:
        """What is at a path; a file's id is that of its content."""
        place = self._root / path
        name = place.name
        try:
            if place.is_dir():
                return Entry(name, EntryKind.FOLDER, f"folder:{path}", 0)
            if place.is_symlink() and not self._follows(place):
                return Entry(name, EntryKind.SYMLINK, blob_id(str(place.readlink()).encode()))
            if place.is_file():
                content = self.read(path)
                return Entry(name, EntryKind.FILE, blob_id(content), len(content))
        except (OSError, ValueError):
            # a name that the system refuses (too long, with a zero byte) is the name of nothing
            return None
        return None

    def _follows(self, link: Path) -> bool:
        return link.is_file() and (not self._contained or link.resolve().is_relative_to(link.parent.resolve()))

    def list(self, path: str) -> tuple[Entry, ...]:
        """The names in a folder, sorted. Raises PathNotFound if there is no such folder."""
        try:
            names = sorted(child.name for child in (self._root / path).iterdir())
        except OSError as error:
            raise PathNotFound("no such folder", about=path or "/") from error
        prefix = f"{path}/" if path else ""
        return tuple(found for name in names if (found := self.entry(prefix + name)) is not None)

    def read(self, path: str) -> bytes:
        """The content of a file. Raises PathNotFound, or LimitExceeded for one that is too large."""
        found = self._read.get(path)
        if found is not None:
            return found
        place = self._root / path
        try:
            size = place.stat().st_size
            if size > self._largest:
                raise LimitExceeded(f"is {size} bytes, more than {self._largest}", about=path)
            content = place.read_bytes()
        except OSError as error:
            raise PathNotFound("no such file", about=path) from error
        self._read[path] = content
        return content


def manifests_of(path: Path) -> tuple[Manifest, ...]:
    """The objects that a file, a folder with those below it, or a kustomization means. Raises InvalidInput, PathNotFound."""
    place = path.resolve()
    if not place.exists():
        raise PathNotFound("no such file or folder", about=str(path))
    tree = FolderTree(place.anchor)
    inside = place.relative_to(place.anchor)
    if place.is_dir():
        shown = any((place / name).is_file() for name in FILE_NAMES)
        options = None if shown else DirectoryOptions(recurse=True)
        return render(tree, RenderSource(path=inside.as_posix(), directory=options)).manifests
    options = DirectoryOptions(include=_literally(place.name))
    return render(tree, RenderSource(path=inside.parent.as_posix(), directory=options)).manifests


def _literally(name: str) -> str:
    """A glob that matches only this name."""
    return re.sub(r"([*?\[\]{}\\])", r"\\\1", name)
