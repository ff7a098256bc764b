"""Journal: the append-only log in SQLite, written in groups by one thread, so that a kill loses milliseconds and corrupts nothing."""

import queue
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from kilde.core.basics.errors import KildeError

_GROUP = 500
_COMPACT_EVERY = 50_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (version INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB);
CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class Entry(NamedTuple):
    """A write: the object's key, its new bytes (None: deleted) and the resourceVersion."""

    version: int
    key: str
    value: bytes | None


class StorageBroken(KildeError):
    """The disk did not take a write; nothing after it can be kept."""

    code = "storage-broken"


class Journal(Protocol):
    """Promises: `entries` answers what was appended before the last close or kill, as one consistent state."""

    def snapshot(self) -> Iterator[Entry]:
        """The objects as of the last compaction, in no order."""
        ...

    def tail(self) -> Iterator[Entry]:
        """The writes since, oldest first."""
        ...

    def last(self) -> int:
        """The resourceVersion of the last write that is kept; 0 if there is none."""
        ...

    def begin(self, version: int) -> None:
        """Notes that versions up to this one may have been told to clients: `last` is no lower from here on."""
        ...

    def append(self, entry: Entry) -> None:
        """Takes a write; it is on disk a moment later. StorageBroken if an earlier one failed."""
        ...

    def flush(self) -> None:
        """Returns when all that was appended is on disk. StorageBroken if it could not be written."""
        ...

    def close(self) -> None:
        """Writes what is left and lets go of the file."""
        ...


class NoJournal:
    """Remembers nothing: for --ephemeral."""

    def snapshot(self) -> Iterator[Entry]:
        return iter(())

    def tail(self) -> Iterator[Entry]:
        return iter(())

    def last(self) -> int:
        return 0

    def begin(self, version: int) -> None:
        """Forgets it."""

    def append(self, entry: Entry) -> None:
        """Forgets it."""

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class SqliteJournal:
    """The log in one SQLite file (WAL, synchronous=NORMAL). One thread writes; `append` never waits for the disk."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file (mode 0600)."""
        path.touch(mode=0o600, exist_ok=True)
        self._path = path
        self._waiting: queue.SimpleQueue[Entry | threading.Event | None] = queue.SimpleQueue()
        self._failure: Exception | None = None
        connection = self._connect()
        connection.executescript(_SCHEMA)
        connection.close()
        self._thread = threading.Thread(target=self._write, name="kubeapi-journal", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "cache_size=-2000"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def snapshot(self) -> Iterator[Entry]:
        yield from self._read("SELECT version, key, value FROM objects")

    def tail(self) -> Iterator[Entry]:
        yield from self._read("SELECT version, key, value FROM log ORDER BY version")

    def last(self) -> int:
        connection = self._connect()
        try:
            found = connection.execute(
                "SELECT max(v) FROM (SELECT max(version) v FROM log UNION SELECT value FROM facts)"
            )
            return int(found.fetchone()[0] or 0)
        finally:
            connection.close()

    def begin(self, version: int) -> None:
        connection = self._connect()
        try:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('version', ?)", (version,))
        finally:
            connection.close()

    def _read(self, query: str) -> Iterator[Entry]:
        connection = self._connect()
        try:
            for row in connection.execute(query):
                yield Entry(*row)
        finally:
            connection.close()

    def append(self, entry: Entry) -> None:
        self._check()
        self._waiting.put(entry)

    def flush(self) -> None:
        written = threading.Event()
        self._waiting.put(written)
        written.wait()
        self._check()

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise StorageBroken(f"cannot write: {self._failure}", about=str(self._path)) from self._failure

    def _write(self) -> None:
        connection = self._connect()
        since = connection.execute("SELECT count(*) FROM log").fetchone()[0]
        going = True
        while going:
            entries, signals, going = self._gather()
            try:
                if self._failure is None:
                    _append(connection, entries)
                    since += len(entries)
                    if since >= _COMPACT_EVERY:
                        _compact(connection)
                        since = 0
            except sqlite3.Error as error:
                self._failure = error
            for signal in signals:
                signal.set()
        connection.close()

    def _gather(self) -> tuple[list[Entry], list[threading.Event], bool]:
        """Waits for one write and takes those that came with it: (writes, who waits for them, go on)."""
        entries: list[Entry] = []
        signals: list[threading.Event] = []
        item = self._waiting.get()
        while True:
            if item is None:
                return entries, signals, False
            if isinstance(item, threading.Event):
                signals.append(item)
            else:
                entries.append(item)
            if len(entries) >= _GROUP:
                return entries, signals, True
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return entries, signals, True


def _append(connection: sqlite3.Connection, entries: list[Entry]) -> None:
    if not entries:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT INTO log VALUES (?, ?, ?)", entries)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise


def _compact(connection: sqlite3.Connection) -> None:
    """Folds the log into the snapshot, in one transaction: a kill leaves either the old state or the new one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS newest (version INTEGER PRIMARY KEY)")
        connection.execute("DELETE FROM newest")
        connection.execute("INSERT INTO newest SELECT max(version) FROM log GROUP BY key")
        connection.execute(
            "INSERT OR REPLACE INTO objects SELECT key, version, value FROM log"
            " WHERE version IN (SELECT version FROM newest) AND value IS NOT NULL"
        )
        connection.execute(
            "DELETE FROM objects WHERE key IN"
            " (SELECT key FROM log WHERE version IN (SELECT version FROM newest) AND value IS NULL)"
        )
        connection.execute("INSERT OR REPLACE INTO facts SELECT 'version', max(version) FROM log")
        connection.execute("DELETE FROM log")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
