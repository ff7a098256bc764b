"""RenderCache: parsed files and accumulated bases, by what they were made of; bounded, and only a matter of speed."""

from collections import OrderedDict
from contextlib import suppress
from typing import Any, Generic, TypeVar

_BYTES = 8 << 20  # of files that are held parsed, in which they take about ten times as much
_OBJECTS = 5_000  # in all bases that are held, each some kilobytes

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The most recently used values, `size` at most, which weigh `weight` together at most (a single one may weigh more)."""

    def __init__(self, size: int, weight: int) -> None:
        self._size, self._weight = size, weight
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._total = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Value | None:
        """The value, which is now the most recently used one; None if there is none."""
        found = self._held.get(key)
        if found is None:
            return None
        with suppress(KeyError):  # another thread may have dropped it meanwhile
            self._held.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Holds a value, and drops those that were not used for longest if it is too much."""
        self._held.pop(key, None)
        self._held[key] = (value, weight)
        self._total += weight
        if self._total > self._weight:
            self._total = sum(held for _, held in list(self._held.values()))  # exact again, whatever threads did to it
        while len(self._held) > 1 and (len(self._held) > self._size or self._total > self._weight):
            with suppress(KeyError):
                self._total -= self._held.popitem(last=False)[1][1]


class RenderCache:
    """What renders share, also from several threads: what is held is never changed, only copied.

    `documents` and `bases` are the most entries of a kind; their weight is bounded too: files by their bytes, bases by their objects.
    """

    def __init__(self, *, documents: int = 5_000, bases: int = 1_000) -> None:
        self.documents: Recent[tuple[str, str], Any] = Recent(documents, _BYTES)
        self.kustomizations: Recent[tuple[str, str], Any] = Recent(bases, _BYTES)
        self.bases: Recent[tuple[Any, ...], Any] = Recent(bases, _OBJECTS)
