"""UndoStore: keeps what was deleted, for a while, so that it can be put back."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from kilde.core.plan.restoring import Kept


class Deleted(NamedTuple):
    """What one operation deleted: its number in the ledger, when (seconds since the epoch), and the objects' names."""

    operation: int
    at: float
    objects: tuple[str, ...]


class UndoStore(Protocol):
    """Promises.

    * `keep` is durable when it returns, all or nothing; the same object of the same operation is kept once.
    * Nothing that was in an object can be read from what lies on the disk without the store's key; names can.
    * The oldest operations go when it gets too large; the one that is being kept stays. One that is too large by itself is refused.
    * Failures are KildeErrors without a value in them.
    """

    def keep(self, objects: Iterable[Kept]) -> None: ...

    def operations(self, application: str) -> Sequence[Deleted]:
        """What can be put back of an application (`namespace/name`), the newest first."""
        ...

    def read(self, application: str, operation: int) -> list[Kept]: ...

    def approved(self, application: str, plan: str) -> tuple[str, frozenset[str]]:
        """The `rendered` digest and the uids of what was deleted under an approval; ("", nothing) where nothing was."""
        ...

    def forget(self, before: float) -> int:
        """Gives up what was deleted before that moment; how many objects that were."""
        ...
