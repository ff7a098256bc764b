"""Which ledger and which key: for the controller and for the command line."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kilde.adapters.store.key_file import KeyFile
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.basics.errors import LedgerError
from kilde.engine.records.notary import Notary
from kilde.ports.clock import Clock
from kilde.ports.records import Ledger

if TYPE_CHECKING:
    from kilde.adapters.store.postgres_ledger import PostgresLedger

SHARED = "KILDE_LEDGER"
"""The environment's variable that names the ledger of several replicas, postgresql://…; it may hold a password, so it is no option."""


@contextlib.contextmanager
def open_ledger(data_dir: Path, clock: Clock) -> Iterator[tuple[Ledger, Notary]]:
    """The ledger to append to, of a data directory or the shared one, and who signs for it. Raises LedgerError."""
    shared = os.environ.get(SHARED, "")
    opened = _postgres(shared) if shared else SqliteLedger(data_dir / "ledger.sqlite")
    with opened as ledger:
        yield ledger, Notary(ledger, KeyFile(data_dir / "ledger.key"), now=clock.now())


@contextlib.contextmanager
def existing_ledger(data_dir: Path, clock: Clock) -> Iterator[tuple[Ledger, Notary]]:
    """The same, for the command line: there must be one. Raises LedgerError."""
    if not os.environ.get(SHARED) and not (data_dir / "ledger.sqlite").is_file():
        raise LedgerError("there is no ledger", about=str(data_dir), hint="name the data directory of kilde up")
    with open_ledger(data_dir, clock) as found:
        yield found


@contextlib.contextmanager
def ledger_to_read(data_dir: Path) -> Iterator[Ledger]:
    """The ledger of a controller that may be running. Raises LedgerError."""
    shared = os.environ.get(SHARED, "")
    with _postgres(shared) if shared else SqliteLedger.open_to_read(data_dir / "ledger.sqlite") as ledger:
        yield ledger


def _postgres(address: str) -> "PostgresLedger":
    from kilde.adapters.store.postgres_ledger import PostgresLedger

    return PostgresLedger(address)
