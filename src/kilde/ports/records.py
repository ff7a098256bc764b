"""Records: the ledger's file as the engine sees it; append only."""

from collections.abc import Iterator
from typing import Protocol

from kilde.core.ledger.record import Record


class Records(Protocol):
    """Promises.

    * `append` is durable when it returns: a crash after it loses nothing; a crash inside it leaves the chain whole.
    * Sequence numbers are 1, 2, 3, …; each record holds the hash of the one before.
    * There is no way to change or remove a record.
    """

    def append(self, kind: str, body: dict[str, object], *, at: float) -> Record:
        """Adds a record to the chain and gives it back with its number and hash. `at`: seconds since the epoch."""
        ...

    def read(self, *, first: int = 1, last: int | None = None) -> Iterator[Record]: ...

    def head(self) -> Record | None: ...

    def open_operations(self) -> list[Record]:
        """`operation-opened` records without an `operation-closed` one: what a crash interrupted."""
        ...
