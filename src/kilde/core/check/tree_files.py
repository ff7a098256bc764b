"""The files of a tree, one after the other, and what of them is text; bounded in size, depth and number."""

from collections.abc import Iterator

from kilde.core.basics.errors import KildeError
from kilde.core.source.tree import EntryKind, Tree

_LARGEST = 8 << 20  # bytes; a text that nobody reads is none
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # as shells of Windows write what is redirected into a file
_DEPTH = 200
_MOST = 1_000_000  # files


def readable(tree: Tree, path: str) -> bytes | None:
    """The content of a file of at most 8 MiB; None for anything else."""
    entry = tree.entry(path)
    if entry is None or entry.kind is not EntryKind.FILE or entry.size > _LARGEST:
        return None
    try:
        return tree.read(path)
    except KildeError:
        return None  # larger than the tree gives


def as_text(content: bytes) -> str | None:
    """The text of a file; None for what Git would call binary, and for more than anyone reads."""
    if len(content) > _LARGEST:
        return None
    if content.startswith(_UTF_16):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:8000]:
        return None
    return content.decode("utf-8", "replace")


def files(tree: Tree) -> Iterator[str]:
    """Every file of a tree, sorted by folder and name; symlinks are not followed."""
    stack, seen = [""], 0
    while stack:
        folder = stack.pop()
        if folder.count("/") > _DEPTH:
            continue
        below = []
        for entry in tree.list(folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.kind is EntryKind.FOLDER:
                below.append(path)
            elif entry.kind is EntryKind.FILE:
                seen += 1
                if seen > _MOST:
                    return
                yield path
        stack.extend(reversed(below))
