"""History: the last changes, in order, for watches that resume and lists that go on where they stopped."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import islice

from kilde.kubeapi.storage.records import Change, Record


class History:
    """A ring of changes, bounded by count and by bytes; what is older is forgotten."""

    def __init__(self, *, start: int = 0, most: int = 10_000, most_bytes: int = 32 << 20) -> None:
        """`start` is the resourceVersion before the first change that will be remembered."""
        self.floor = start
        self._most, self._most_bytes = most, most_bytes
        self._changes: deque[Change] = deque()
        self._bytes = 0

    def add(self, change: Change) -> None:
        """Remembers a change; forgets the oldest ones beyond the bounds."""
        self._changes.append(change)
        self._bytes += _size(change)
        while len(self._changes) > self._most or (self._bytes > self._most_bytes and len(self._changes) > 1):
            gone = self._changes.popleft()
            self._bytes -= _size(gone)
            self.floor = gone.version

    def forget_after(self, version: int) -> None:
        """Forgets the changes after this resourceVersion: they have not happened."""
        while self._changes and self._changes[-1].version > version:
            self._bytes -= _size(self._changes.pop())

    def reaches(self, version: int) -> bool:
        """Whether every change after this resourceVersion is still known."""
        return version >= self.floor

    def after(self, version: int) -> Iterator[Change]:
        """The changes after this resourceVersion, oldest first."""
        start = bisect_right(self._changes, version, key=lambda change: change.version)
        return islice(self._changes, start, None)

    def undone(self, version: int, resource: str) -> dict[tuple[str, str], Record | None]:
        """(namespace, name) → what was there at this resourceVersion, for each object that changed since."""
        found: dict[tuple[str, str], Record | None] = {}
        for change in reversed(self._changes):
            if change.version <= version:
                break
            if change.key.resource == resource:
                found[change.key[1:]] = change.before
        return found


def _size(change: Change) -> int:
    held = change.after or change.last
    return 200 + (len(held.data) if held else 0)
