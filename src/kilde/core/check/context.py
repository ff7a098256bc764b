"""Context: all that a rule may look at, read-only: the files of the commit that is judged, and what is to be judged of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from kilde.core.basics.errors import KildeError
from kilde.core.source.tree import EntryKind, Tree

_LARGEST = 8 << 20  # bytes; a text that nobody reads is none
_DEPTH = 200
_MOST = 1_000_000  # files


@dataclass(frozen=True, slots=True)
class Text:
    """A file of text. `commit` is the commit that has it ("" for the one that is judged as a whole)."""

    path: str
    text: str
    commit: str = ""


class History(Protocol):
    """What the commits of the judged range have brought, those included that a later commit of the range takes back."""

    def added(self) -> Iterable[tuple[str, str, bytes]]:
        """Commit id, path and content of every version of a file that a commit of the range adds. Lazy; raises KildeError."""
        ...


class NoHistory:
    """Of a folder that is in no repository, or where the whole is judged and not a range."""

    def added(self) -> Iterable[tuple[str, str, bytes]]:
        return ()


_NO_HISTORY = NoHistory()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """`tree` is the commit that is judged; `changed` are the paths that differ from the base (None: everything is judged).

    `today` is the day as YYYY-MM-DD, for what expires.
    """

    tree: Tree
    changed: frozenset[str] | None = None
    history: History = _NO_HISTORY
    today: str = ""

    def concerns(self, path: str) -> bool:
        """Whether a file is to be judged."""
        return self.changed is None or path in self.changed

    def texts(self) -> Iterator[Text]:
        """The files that are to be judged, as text; what is binary, larger than 8 MiB or no file is passed over."""
        for path in self.paths():
            found = self.text(path)
            if found is not None:
                yield Text(path, found)

    def paths(self) -> Iterator[str]:
        """The files that are to be judged, sorted."""
        yield from files(self.tree) if self.changed is None else sorted(self.changed)

    def text(self, path: str) -> str | None:
        """The text of a file; None where there is none."""
        entry = self.tree.entry(path)
        if entry is None or entry.kind is not EntryKind.FILE or entry.size > _LARGEST:
            return None
        try:
            content = self.tree.read(path)
        except KildeError:
            return None  # larger than the tree gives
        return as_text(content)

    def past_texts(self) -> Iterator[Text]:
        """The same of every version of a file that the judged range adds, with its commit."""
        for commit, path, content in self.history.added():
            found = as_text(content)
            if found is not None:
                yield Text(path, found, commit)


def as_text(content: bytes) -> str | None:
    """The text of a file; None for what Git would call binary, and for more than anyone reads."""
    if len(content) > _LARGEST or b"\0" in content[:8000]:
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
