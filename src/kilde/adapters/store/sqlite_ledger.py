"""The ledger in a SQLite file: durable when `append` returns, readable by other processes meanwhile (WAL).

The head is kept twice: in the database, in step with every record, and in `<file>.head` beside it, written after each append. A tail
cut off the database is so found by the file; one who rewrites both is found by a head kept elsewhere (see core/ledger/chain.py).
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kilde.adapters.store import ledger_schema
from kilde.core.basics.errors import LedgerError
from kilde.core.basics.values import canonical
from kilde.core.ledger.chain import Anchor, Verdict, verify
from kilde.core.ledger.record import GENESIS, Record, next_record

_COLUMNS = "number, at, kind, body, previous, hash"
_BATCH = 500
_PATIENCE = 10.0  # seconds to wait for another process's transaction

Entry = tuple[str, dict[str, Any], float]
"""What a record is made of: kind, body, seconds since the epoch."""


class SqliteLedger:
    """Keeps the promises of ports.records.Records. Use from one thread at a time; several processes may append."""

    def __init__(self, path: Path, *, readable_only: bool = False) -> None:
        """Opens the ledger to append, and makes it (mode 0600) where there is none. Raises LedgerError."""
        self._path, self._readable_only = path, readable_only
        with _told(path):
            self._connection = _connect_to_read(path) if readable_only else _connect(path)
        try:
            with _told(path):
                if not readable_only:
                    _prepare(self._connection)
                version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            _refuse_other(version, path)
        except LedgerError:
            self._connection.close()
            raise

    @classmethod
    def open_to_read(cls, path: Path) -> "SqliteLedger":
        """Opens the ledger of a controller that may be running, to read and verify. Raises LedgerError."""
        if not path.is_file():
            raise LedgerError("there is no ledger", about=str(path), hint="name the data directory of kilde up")
        return cls(path, readable_only=True)

    def __enter__(self) -> "SqliteLedger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; everything appended is on disk already."""
        self._connection.close()

    def append(self, kind: str, body: dict[str, Any], *, at: float) -> Record:
        """Adds one record. Raises LedgerError when it could not be made durable: then it is not in the ledger."""
        return self.append_all([(kind, body, at)])[0]

    def append_all(self, entries: Sequence[Entry]) -> list[Record]:
        """Adds records together, all or none, with one wait for the disk."""
        if self._readable_only:
            raise LedgerError("it was opened to be read only", about=str(self._path))
        with _told(self._path), self._transaction("IMMEDIATE"):
            head = self._last()
            added = []
            for kind, body, at in entries:
                head = self._following(head, kind, body, at)
                self._insert(head)
                added.append(head)
        if added:
            self._write_down(added[-1])
        return added

    def read(self, *, first: int = 1, last: int | None = None) -> Iterator[Record]:
        """Records `first` to `last`, in order, read a few at a time."""
        where, bounds = "number >= ?", [first]
        if last is not None:
            where, bounds = "number BETWEEN ? AND ?", [first, last]
        yield from self._rows(f"SELECT {_COLUMNS} FROM records WHERE {where} ORDER BY number", bounds)  # noqa: S608  # our own words

    def head(self) -> Record | None:
        """The last record; None in a new ledger."""
        return next(iter(self._rows(f"SELECT {_COLUMNS} FROM records ORDER BY number DESC LIMIT 1")), None)  # noqa: S608

    def open_operations(self) -> list[Record]:
        """Openings that no closing names: what runs now, or what a crash cut off."""
        return list(
            self._rows(
                f"SELECT {_COLUMNS} FROM records AS opened WHERE kind = 'operation-opened' AND NOT EXISTS ("  # noqa: S608
                " SELECT 1 FROM records AS closed"
                " WHERE closed.kind = 'operation-closed' AND closed.operation = opened.number) ORDER BY number"
            )
        )

    def verify(self, known: Iterable[Anchor] = ()) -> Verdict:
        """Judges the whole ledger against both written heads and those in `known`, all as of one moment."""
        beside = self._written_down()  # before the records: it may only lag behind them
        with _told(self._path), self._transaction("DEFERRED"):
            row = self._connection.execute("SELECT number, hash FROM head").fetchone()
            anchors = [Anchor(row[0], row[1], exact=True)] if row and row[0] else []
            return verify(self.read(), [*anchors, *beside, *known])

    def _last(self) -> Record | None:
        """What the next record follows: read anew in each transaction, because another process may have appended."""
        row = self._connection.execute("SELECT number, hash FROM head").fetchone()
        if row is None:
            raise LedgerError("its head is missing", about=str(self._path), hint="kilde ledger verify says more")
        number, hash_ = row
        if number == 0:
            return None
        return Record(number=number, at="", kind="", body={}, previous="", hash=hash_)

    def _following(self, head: Record | None, kind: str, body: dict[str, Any], at: float) -> Record:
        try:
            return next_record(head, kind, body, at=at)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise LedgerError(f"a record of kind '{kind}' is not JSON: {error}", about=str(self._path)) from error

    def _insert(self, record: Record) -> None:
        body = canonical(record.body).decode()  # next_record has taken the same bytes' hash
        self._connection.execute(
            f"INSERT INTO records ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
            (record.number, record.at, record.kind, body, record.previous, record.hash),
        )
        self._connection.execute("UPDATE head SET number = ?, hash = ?", (record.number, record.hash))

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _rows(self, query: str, values: Sequence[object] = ()) -> Iterator[Record]:
        with _told(self._path):
            cursor = self._connection.execute(query, values)
            while rows := cursor.fetchmany(_BATCH):
                for row in rows:
                    yield _record(row)

    @property
    def _beside(self) -> Path:
        return self._path.with_name(f"{self._path.name}.head")

    def _write_down(self, head: Record) -> None:
        """Not synced: after a power cut it may lag, which verification bears."""
        unfinished = self._beside.with_name(f"{self._beside.name}.{os.getpid()}")
        try:
            unfinished.write_text(f"{head.number} {head.hash}\n")
            unfinished.replace(self._beside)
        except OSError as error:
            raise LedgerError(f"its head could not be written: {error.strerror}", about=str(self._beside)) from error

    def _written_down(self) -> list[Anchor]:
        try:
            number, _, hash_ = self._beside.read_text().strip().partition(" ")
            return [Anchor(int(number), hash_)]
        except (OSError, ValueError):
            return []


def _record(row: tuple[int, str, str, str, str, str]) -> Record:
    number, at, kind, text, previous, hash_ = row
    try:
        body = json.loads(text)
        ours = isinstance(body, dict) and canonical(body).decode() == text
    except (ValueError, RecursionError, OverflowError):
        ours = False
    if not ours:
        body = {"altered": text}  # not a text of ours, even if it means the same; its hash will say so
    return Record(number=number, at=at, kind=kind, body=body, previous=previous, hash=hash_)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        ledger_schema.create(connection, GENESIS)


def _refuse_other(version: int, path: Path) -> None:
    if version != ledger_schema.VERSION:
        known = f"this kilde reads version {ledger_schema.VERSION}"
        raise LedgerError(f"it is a ledger of version {version}, {known}", about=str(path), hint="use a newer kilde")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors, as the ledger's."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"it cannot be used: {error}", about=str(path)) from error
    except OSError as error:
        raise LedgerError(f"it cannot be used: {error.strerror}", about=str(path)) from error
