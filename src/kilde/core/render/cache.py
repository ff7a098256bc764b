"""RenderCache: parsed files and accumulated bases, by what they were made of; bounded, and only a matter of speed."""

from collections import OrderedDict
from contextlib import suppress
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The most recently used values, `size` at most."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Value | None:
        """The value, which is now the most recently used one; None if there is none."""
        found = self._held.get(key)
        if found is not None:
            with suppress(KeyError):  # another thread may have dropped it meanwhile
                self._held.move_to_end(key)
        return found

    def put(self, key: Key, value: Value) -> None:
        """Holds a value, and drops the one that was not used for longest if there are too many."""
        self._held.pop(key, None)
        self._held[key] = value
        while len(self._held) > self._size:
            with suppress(KeyError):
                self._held.popitem(last=False)


class RenderCache:
    """What renders share, also from several threads: what is held is never changed, only copied."""

    def __init__(self, *, documents: int = 5_000, bases: int = 1_000) -> None:
        self.documents: Recent[tuple[str, str], Any] = Recent(documents)
        self.kustomizations: Recent[tuple[str, str], Any] = Recent(bases)
        self.bases: Recent[tuple[Any, ...], Any] = Recent(bases)
