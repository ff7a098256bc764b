"""The ledger in a SQLite file: durable when `append` returns, readable by other processes meanwhile (WAL).

The head is kept twice: in the database, in step with every record, and in `<file>.head` beside it, written after each append. A tail
cut off the database is so found by the file; one who rewrites both is found by a checkpoint kept elsewhere (docs/security.md).
"""

import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kilde.adapters.store import ledger_schema
from kilde.core.basics.errors import LedgerError
from kilde.core.basics.values import canonical
from kilde.core.ledger.chain import Anchor, Verdict
from kilde.core.ledger.checkpoint import PublicKey
from kilde.core.ledger.evidence import ERASED, NOTICES, PRUNED, Evidence, Note, Row, judge, record_of
from kilde.core.ledger.growth import Head, grow, leaf_of
from kilde.core.ledger.merkle import TILE, Node, Tiles, packed, unpacked
from kilde.core.ledger.people import KEY_BYTES, Person, hidden, reference
from kilde.core.ledger.record import GENESIS, Record

_COLUMNS = "number, at, kind, body, previous, hash"
_BATCH = 500
_PATIENCE = 10.0  # seconds to wait for another process's transaction

Entry = tuple[str, dict[str, Any], float]
"""What a record is made of: kind, body, seconds since the epoch."""


class SqliteLedger:
    """Keeps the promises of ports.records.Ledger. Use from one thread at a time; several processes may append."""

    def __init__(self, path: Path, *, readable_only: bool = False) -> None:
        """Opens the ledger to append: makes it (mode 0600) where there is none, brings an older one up to date. Raises LedgerError."""
        self._path, self._readable_only = path, readable_only
        self._beside = path.with_name(f"{path.name}.head")
        self._tiles: Tiles | None = None
        with _told(path):
            self._connection = _connect_to_read(path) if readable_only else _connect(path)
        try:
            with _told(path):
                self._connection.text_factory = _text
                if not readable_only:
                    _refuse_newer(self._version, path)
                    _prepare(self._connection)
                _refuse_newer(self._version, path)
        except LedgerError:
            self._connection.close()
            raise

    @property
    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

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
        with self._writing():
            return self._add(entries)

    def read(self, *, first: int = 1, last: int | None = None) -> Iterator[Record]:
        """Records `first` to `last`, in order, read a few at a time. People are references in them."""
        return map(record_of, self._rows(first, last))

    def head(self) -> Record | None:
        """The last record; None in a new ledger."""
        return next(map(record_of, self._query(f"SELECT {_COLUMNS} FROM records ORDER BY number DESC LIMIT 1")), None)  # noqa: S608

    def open_operations(self) -> list[Record]:
        """Openings that no closing names: what runs now, or what a crash cut off."""
        found = self._query(
            f"SELECT {_COLUMNS} FROM records AS opened WHERE kind = 'operation-opened' AND NOT EXISTS ("  # noqa: S608
            " SELECT 1 FROM records AS closed"
            " WHERE closed.kind = 'operation-closed' AND closed.operation = opened.number) ORDER BY number"
        )
        return [record_of(row) for row in found]

    def notices(self) -> list[Record]:
        """The records about the ledger itself: keys, erasures, what was given up."""
        kinds = ", ".join(f"'{kind}'" for kind in sorted(NOTICES))
        where = f"kind IN ({kinds}) AND kind NOT IN ('operation-opened', 'operation-closed')"  # as the index has it
        return [record_of(row) for row in self._query(f"SELECT {_COLUMNS} FROM records WHERE {where} ORDER BY number")]  # noqa: S608

    def end(self) -> Head:
        """The last record's number and hash, and the edge of the tree."""
        with _told(self._path):
            self._need_tree()
            return self._head()

    def node(self, level: int, place: int) -> bytes:
        """The hash of a complete subtree."""
        if self._tiles is None:
            self._need_tree()
            self._tiles = Tiles(self._stored_nodes)
        return self._tiles(level, place)

    def pruned(self) -> int:
        """The number of the last record that was given up; 0: all are there."""
        if self._version < ledger_schema.VERSION:
            return 0
        return int(next(self._query("SELECT coalesce(max(number), 0) FROM given_up"))[0])

    def people(self) -> Mapping[str, Person]:
        """Who the references stand for."""
        if self._version < ledger_schema.VERSION:
            return {}
        return {ref: Person(key, text) for ref, key, text in self._query("SELECT ref, key, text FROM people")}

    def checkpoints(self) -> list[str]:
        """The signed checkpoints, by size."""
        if self._version < ledger_schema.VERSION:
            return []
        return [note for (note,) in self._query("SELECT note FROM checkpoints ORDER BY size")]

    def checkpoint(self, size: int) -> str | None:
        """The signed checkpoint of that size, if one was kept."""
        return next((note for (note,) in self._query("SELECT note FROM checkpoints WHERE size = ?", (size,))), None)

    def keep_checkpoint(self, size: int, note: str) -> None:
        """Keeps a signed checkpoint; the first of a size stays."""
        with self._writing():
            self._connection.execute("INSERT OR IGNORE INTO checkpoints (size, note) VALUES (?, ?)", (size, note))

    def erase(self, ref: str, *, reason: str, by: str, at: float) -> Record:
        """Forgets who the reference stands for, behind a record that says so; nothing of it stays in the file."""
        with self._writing():
            if not self._connection.execute("SELECT 1 FROM people WHERE ref = ?", (ref,)).fetchone():
                raise LedgerError("nobody is known by this reference", about=ref)
            added = self._add([(ERASED, {"person": ref, "reason": reason, "by": by}, at)])
            self._connection.execute("DELETE FROM people WHERE ref = ?", (ref,))
        self._forget()
        return added[0]

    def prune(self, last: int, *, checkpoint: str, kept: list[object], reason: str, by: str, at: float) -> Record:
        """Gives up the records up to `last`, behind a record that says so; their hashes stay, and of people who is still named."""
        with self._writing():
            first = self.pruned() + 1
            opened = [record.number for record in self.open_operations() if record.number <= last]
            if opened:
                raise LedgerError(f"operation {opened[0]} is still open", about=str(self._path), hint="keep it")
            if not first <= last < self._head().number:
                raise LedgerError(f"records {first} to {last} cannot be given up", about=str(self._path))
            body = {"first": first, "last": last, "checkpoint": checkpoint, "kept": kept, "reason": reason, "by": by}
            added = self._add([(PRUNED, body, at)])
            bounds = (first, last)
            run = self._connection.execute
            run("INSERT INTO given_up SELECT number, hash FROM records WHERE number BETWEEN ? AND ?", bounds)
            run("DELETE FROM records WHERE number BETWEEN ? AND ?", bounds)
            run("DELETE FROM people WHERE NOT EXISTS (SELECT 1 FROM records WHERE instr(body, people.ref))")
        self._forget()
        return added[0]

    def verify(
        self, known: Iterable[Anchor] = (), *, notes: Iterable[Note] = (), trusted: PublicKey | None = None
    ) -> Verdict:
        """Judges the whole ledger against both written heads and what others kept, all as of one moment."""
        beside = self._written_down()  # before the records: it may only lag behind them
        has_tree = self._version >= ledger_schema.VERSION
        with _told(self._path), self._transaction("DEFERRED"):
            row = self._connection.execute(f"SELECT number, hash{', edge' if has_tree else ''} FROM head").fetchone()  # noqa: S608
            anchors = [Anchor(row[0], row[1], exact=True)] if row and row[0] else []
            own = [Note("the ledger itself", note) for note in self.checkpoints()]
            evidence = Evidence(
                rows=lambda: self._rows(1, None),
                anchors=[*anchors, *beside, *known],
                edge=unpacked(row[2], row[0]) if row and has_tree else None,
                nodes=self._nodes() if has_tree else {},
                has_tree=has_tree,
                pruned=[hash_ for (hash_,) in self._query("SELECT hash FROM given_up ORDER BY number")]
                if has_tree
                else [],
                people=self.people(),
                notes=[*own, *notes],
                trusted=trusted,
            )
            return judge(evidence)

    def _add(self, entries: Iterable[Entry]) -> list[Record]:
        """Within a transaction: the records, the tree's nodes and the head."""
        head, added = self._head(), []
        for kind, body, at in entries:
            record, head, nodes = grow(head, kind, hidden(body, self._refer), at=at)
            self._insert(record, head, nodes)
            added.append(record)
        return added

    def _head(self) -> Head:
        """What the next record follows: read anew in each transaction, because another process may have appended."""
        row = self._connection.execute("SELECT number, hash, edge FROM head").fetchone()
        edge = unpacked(row[2], row[0]) if row else None
        if edge is None:
            raise LedgerError("its head is missing", about=str(self._path), hint="kilde ledger verify says more")
        return Head(row[0], row[1], edge)

    def _insert(self, record: Record, head: Head, nodes: Iterable[Node]) -> None:
        body = canonical(record.body).decode()  # its hash was taken over the same bytes
        run = self._connection.execute
        run(
            f"INSERT INTO records ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
            (record.number, record.at, record.kind, body, record.previous, record.hash),
        )
        for node in nodes:
            run("INSERT INTO nodes (level, place, hash) VALUES (?, ?, ?)", node)
        run("UPDATE head SET number = ?, hash = ?, edge = ?", (head.number, head.hash, packed(head.edge)))

    def _refer(self, text: str) -> str:
        """The reference to a person: the one they have, or a new one under a key of their own."""
        known = self._connection.execute("SELECT ref FROM people WHERE text = ?", (text,)).fetchone()
        if known:
            return str(known[0])
        key = secrets.token_bytes(KEY_BYTES)
        ref = reference(key, text)
        self._connection.execute("INSERT INTO people (ref, key, text) VALUES (?, ?, ?)", (ref, key.hex(), text))
        return ref

    def _forget(self) -> None:
        """Takes what was deleted out of the file and out of the log beside it (secure_delete has overwritten the rows)."""
        with _told(self._path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction that appends; afterwards the head is written down beside the file."""
        if self._readable_only:
            raise LedgerError("it was opened to be read only", about=str(self._path))
        with _told(self._path):
            with self._transaction("IMMEDIATE"):
                yield
                number, hash_ = self._connection.execute("SELECT number, hash FROM head").fetchone()
            self._tiles = None
        self._write_down(number, hash_)

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # on a full disk SQLite has rolled back by itself
                self._connection.execute("ROLLBACK")
            raise

    def _rows(self, first: int, last: int | None) -> Iterator[Row]:
        where, bounds = "number >= ?", [first]
        if last is not None:
            where, bounds = "number BETWEEN ? AND ?", [first, last]
        return self._query(f"SELECT {_COLUMNS} FROM records WHERE {where} ORDER BY number", bounds)  # noqa: S608  # our own words

    def _query(self, query: str, values: Sequence[object] = ()) -> Iterator[Any]:
        with _told(self._path):
            cursor = self._connection.execute(query, values)
            while rows := cursor.fetchmany(_BATCH):
                yield from rows

    def _need_tree(self) -> None:
        if self._version < ledger_schema.VERSION:
            hint = "kilde up brings it up to date when it starts"
            raise LedgerError("it is of an older version, which had no proofs", about=str(self._path), hint=hint)

    def _stored_nodes(self, level: int, begin: int, end: int) -> list[bytes]:
        if level:
            query = "SELECT hash FROM nodes WHERE level = ? AND place >= ? AND place < ? ORDER BY place"
            return [hash_ for (hash_,) in self._query(query, (level, begin, end))]
        query = "SELECT hash FROM {} WHERE number > ? AND number <= ? ORDER BY number"
        found = [
            *self._query(query.format("given_up"), (begin, end)),
            *self._query(query.format("records"), (begin, end)),
        ]
        return [leaf_of(hash_) for (hash_,) in found]

    def _nodes(self) -> dict[tuple[int, int], bytes]:
        found = self._query("SELECT level, place, hash FROM nodes")
        return {(level, place): hash_ for level, place, hash_ in found if level % TILE == 0}

    def _write_down(self, number: int, hash_: str) -> None:
        """Not synced, and not insisted on: the record is durable already; a head that lags is borne by verification.

        Written over in place: a file put in the place of another one makes the file system write it out at once, which costs more
        than the record. The lock is for readers, who must not see half of it; where one holds it, the next append writes the head.
        """
        with contextlib.suppress(OSError):
            file = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.pwrite(file, f"{number} {hash_}\n".encode(), 0)
            finally:
                os.close(file)

    def _written_down(self) -> list[Anchor]:
        try:
            with self._beside.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                number, _, hash_ = file.readline().strip().partition(" ")
            return [Anchor(int(number), hash_)]
        except (OSError, ValueError):
            return []


def _text(stored: bytes) -> str:
    """Text that somebody damaged is read all the same: its hash will say so."""
    return stored.decode("utf-8", "backslashreplace")


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
    connection.execute("PRAGMA secure_delete = ON")
    ledger_schema.prepare(connection, GENESIS)


def _refuse_newer(version: int, path: Path) -> None:
    if version > ledger_schema.VERSION:
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
