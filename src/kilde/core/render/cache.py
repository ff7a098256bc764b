"""RenderCache: parsed files and accumulated bases, by what they were made of; bounded, and only a matter of speed."""

from collections import OrderedDict
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
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: Key, value: Value) -> None:
        self._held[key] = value
        self._held.move_to_end(key)
        if len(self._held) > self._size:
            self._held.popitem(last=False)


class RenderCache:
    """What renders share. Not for several threads at once: give each its own, or a lock around the render."""

    def __init__(self, *, documents: int = 5_000, bases: int = 1_000) -> None:
        self.documents: Recent[tuple[str, str], Any] = Recent(documents)
        self.kustomizations: Recent[tuple[str, str], Any] = Recent(bases)
        self.bases: Recent[tuple[Any, ...], Any] = Recent(bases)
