"""Export: the files of a tree written into a folder, for programs that read no Trees. Bounded; no link leads out of it."""

import posixpath
from pathlib import Path

from kilde.adapters.git.mounted import MountedTree
from kilde.core.basics.errors import KildeError, LimitExceeded
from kilde.core.source.tree import EntryKind, followed

_MOST_FILES = 100_000
_MOST_BYTES = 1 << 30
_MOST_DEPTH = 200


def export(tree: MountedTree, folder: Path) -> None:
    """Writes every file, executable where Git says so, and every symlink that stays inside. Raises LimitExceeded."""
    files = size = 0
    waiting = [""]
    while waiting:
        here = waiting.pop()
        (folder / here).mkdir(parents=True, exist_ok=True)
        if here.count("/") > _MOST_DEPTH:
            raise LimitExceeded(f"folders nested deeper than {_MOST_DEPTH}", about=here[:200])
        for entry in tree.list(here):
            path = posixpath.join(here, entry.name)
            if entry.kind is EntryKind.FOLDER:
                waiting.append(path)
                continue
            files, size = files + 1, size + _write(tree, path, folder / path)
            if files > _MOST_FILES or size > _MOST_BYTES:
                raise LimitExceeded(f"the repository has more than {_MOST_FILES} files or {_MOST_BYTES} bytes")


def _write(tree: MountedTree, path: str, target: Path) -> int:
    found = tree.mode_and_entry(path)
    if found is None or found[1].kind is EntryKind.SUBMODULE:
        return 0
    mode, entry = found
    if entry.kind is EntryKind.SYMLINK:
        try:
            followed(tree, path)
        except KildeError:
            return 0
        target.symlink_to(tree.link(path))
        return 0
    content = tree.read(path)
    target.write_bytes(content)
    if mode == "100755":
        target.chmod(0o755)
    return len(content)
