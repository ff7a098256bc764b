"""FolderTree: a folder on disk as a Tree, for `kilde build` and for working copies."""

import os
from pathlib import Path

from kilde.core.basics.errors import LimitExceeded, PathNotFound
from kilde.core.source.object_id import blob_id
from kilde.core.source.tree import Entry, EntryKind

_LARGEST = 64 << 20  # bytes


class FolderTree:
    """The files below `root`. Symlinks are followed as the operating system does; a file is read at most once for its id."""

    def __init__(self, root: str | Path, *, largest: int = _LARGEST) -> None:
        self._root, self._largest = str(root), largest
        self._read: dict[str, bytes] = {}

    def _on_disk(self, path: str) -> str:
        return os.path.join(self._root, path)

    def entry(self, path: str) -> Entry | None:
        """What is at a path; a file's id is that of its present content."""
        place = self._on_disk(path)
        name = path.rpartition("/")[2]
        if os.path.isfile(place):
            content = self.read(path)
            return Entry(name, EntryKind.FILE, blob_id(content), len(content))
        if os.path.isdir(place):
            return Entry(name, EntryKind.FOLDER, f"folder:{path}", 0)
        return None

    def list(self, path: str) -> tuple[Entry, ...]:
        """The names in a folder, sorted."""
        try:
            names = sorted(os.listdir(self._on_disk(path)))
        except OSError as error:
            raise PathNotFound("no such folder", about=path or "/") from error
        prefix = f"{path}/" if path else ""
        return tuple(found for name in names if (found := self.entry(prefix + name)) is not None)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        found = self._read.get(path)
        if found is not None:
            return found
        place = self._on_disk(path)
        try:
            size = os.path.getsize(place)
            if size > self._largest:
                raise LimitExceeded(f"is {size} bytes, more than {self._largest}", about=path)
            content = Path(place).read_bytes()
        except OSError as error:
            raise PathNotFound("no such file", about=path) from error
        self._read[path] = content
        return content
