"""Records: the ledger as the engine sees it; append only. Ledger: the same with its proofs, for who answers an auditor."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from kilde.core.ledger.chain import Anchor, Verdict
from kilde.core.ledger.checkpoint import PublicKey
from kilde.core.ledger.evidence import Note
from kilde.core.ledger.growth import Head
from kilde.core.ledger.people import Person
from kilde.core.ledger.record import Record


class Records(Protocol):
    """Promises.

    * `append` is durable when it returns: a crash after it loses nothing; a crash inside it leaves the chain whole.
    * Sequence numbers are 1, 2, 3, …; each record holds the hash of the one before.
    * There is no way to change a record. People's names are kept beside them: a record holds a reference (core/ledger/people.py).
    * Failures are LedgerErrors.
    """

    def append(self, kind: str, body: dict[str, object], *, at: float) -> Record:
        """Adds a record to the chain and gives it back with its number and hash. `at`: seconds since the epoch."""
        ...

    def read(self, *, first: int = 1, last: int | None = None) -> Iterator[Record]: ...

    def head(self) -> Record | None: ...

    def open_operations(self) -> list[Record]:
        """`operation-opened` records without an `operation-closed` one: what a crash interrupted."""
        ...


class Ledger(Records, Protocol):
    """Promises beside those of Records.

    * The tree is in step with the records: `end` and `node` answer for every size up to the head.
    * `erase` removes who a reference stands for behind a record that says so; `prune` removes records behind one, keeps their
      hashes, and never one of an operation that is still open. Every proof is afterwards what it was.
    """

    def notices(self) -> list[Record]:
        """The records about the ledger itself (core.ledger.evidence.NOTICES): keys, erasures, what was given up."""
        ...

    def end(self) -> Head: ...

    def node(self, level: int, place: int) -> bytes:
        """The hash of a complete subtree (core/ledger/merkle.py)."""
        ...

    def pruned(self) -> int:
        """How many records were given up: the number of the last of them."""
        ...

    def people(self) -> Mapping[str, Person]: ...

    def checkpoints(self) -> list[str]:
        """The signed checkpoints that were kept, by size."""
        ...

    def checkpoint(self, size: int) -> str | None:
        """The signed checkpoint of that size, if one was kept."""
        ...

    def keep_checkpoint(self, size: int, note: str) -> None:
        """Keeps a signed checkpoint; the first of a size stays."""
        ...

    def verify(
        self, known: Iterable[Anchor] = (), *, notes: Iterable[Note] = (), trusted: PublicKey | None = None
    ) -> Verdict:
        """Judges everything as of one moment, also against heads and checkpoints that somebody else kept."""
        ...

    def erase(self, ref: str, *, reason: str, by: str, at: float) -> Record:
        """Forgets who the reference stands for. Raises LedgerError when nobody does."""
        ...

    def prune(self, last: int, *, checkpoint: str, kept: list[object], reason: str, by: str, at: float) -> Record:
        """Gives up all records up to `last`; `checkpoint` is a signed one of exactly that size, `kept` what goes on to be needed."""
        ...
