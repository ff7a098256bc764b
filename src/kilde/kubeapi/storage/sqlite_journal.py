"""SqliteJournal: an append-only log in SQLite, written in groups by one thread that tells when each group is committed."""

import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import structlog

from kilde.kubeapi.storage import file
from kilde.kubeapi.storage.journal import Durability, Entry, Outcome, Recovery, StorageUnreadable
from kilde.kubeapi.storage.salvage import salvage

_log = structlog.get_logger("kilde.kubeapi.storage")
_GROUP = 500
_GROUP_BYTES = 8 << 20
FOLD_FROM = 10_000  # writes in the log from which on its oldest are folded into the snapshot …
FOLD_AT_ONCE = 1_000  # … so many at a time, between two commits


class _Resume:
    """In the queue: what comes after it is tried again."""


_RESUME = _Resume()
_Item = Sequence[Entry] | threading.Event | _Resume | None


class _Batch(NamedTuple):
    """What one turn of the writer took: writes, who waits for their outcome, and the item that ended it."""

    entries: list[Entry]
    signals: list[threading.Event]
    end: _Item | bool


class SqliteJournal:
    """One SQLite file in WAL mode. `append` never waits; a group of writes is one transaction, synced before it is told if `full`."""

    def __init__(self, path: Path, durability: Durability = Durability.FULL) -> None:
        """Opens, makes, upgrades or salvages the file (mode 0600). StorageUnreadable."""
        self._path, self._durability = path, durability
        self.recovery = Recovery()
        path.touch(mode=0o600, exist_ok=True)
        self._open()
        self._waiting: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._tell: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._write, name="kubeapi-journal", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._path.name

    def _open(self) -> None:
        try:
            self._inspect()
        except sqlite3.OperationalError as error:
            raise StorageUnreadable(f"cannot be opened: {error}", about=str(self._path)) from error
        except sqlite3.DatabaseError as error:
            problems = salvage(self._path, str(error))
            self._inspect()
            self.recovery.problems = problems

    def _inspect(self) -> None:
        """Brings the file to today's format and reads all of it once: a damaged page is found before anything is served."""
        with closing(file.connect(self._path, self._durability)) as connection:
            upgraded = file.prepare(connection, self._path.name)
            replayed = 0
            for query, count in ((file.SNAPSHOT, False), (file.WRITES, True)):
                for row in connection.execute(query):
                    replayed += row[0] - row[1] + 1 if count else 0
            self.recovery = Recovery(replayed, file.was_closed(connection), upgraded)

    def entries(self) -> Iterator[Entry]:
        problems: list[str] = []
        with closing(file.connect(self._path)) as connection:
            yield from file.read_snapshot(connection.execute(file.SNAPSHOT), problems)
            yield from file.read_writes(connection.execute(file.WRITES), problems)
        self.recovery.problems += tuple(problems)

    def last(self) -> int:
        with closing(file.connect(self._path)) as connection:
            return file.last(connection)

    def begin(self, version: int) -> None:
        try:
            with closing(file.connect(self._path, self._durability)) as connection:
                file.note(connection, version=version, open=1)
        except (
            sqlite3.OperationalError
        ) as error:  # a full disk: reading works, and no write will be acknowledged until it is not
            _log.warning("the store cannot be written now", reason=str(error))

    def append(self, entries: Sequence[Entry]) -> None:
        self._waiting.put(entries)

    def resume(self) -> None:
        self._waiting.put(_RESUME)

    def outcomes(self) -> list[Outcome]:
        found = []
        while self._outcomes:
            found.append(self._outcomes.popleft())
        return found

    def on_outcome(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def flush(self) -> None:
        written = threading.Event()
        self._waiting.put(written)
        written.wait()

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _write(self) -> None:
        writer = _Writer(file.connect(self._path, self._durability), self.recovery.replayed)
        broken = False
        while True:
            batch = self._gather()
            if batch.entries and not broken:
                outcome = writer.commit(batch.entries)
                broken = outcome.error is not None
                self._outcomes.append(outcome)
                self._tell()
            for signal in batch.signals:
                signal.set()
            if batch.end is _RESUME:
                broken = False
            elif batch.end is None:
                break
            writer.fold_if_long()
        writer.close()

    def _gather(self) -> _Batch:
        """Waits for one item and takes those that came with it, in order, up to the bounds of a group."""
        entries: list[Entry] = []
        signals: list[threading.Event] = []
        size = 0
        item = self._waiting.get()
        while True:
            if item is None or isinstance(item, _Resume):
                return _Batch(entries, signals, item)
            if isinstance(item, threading.Event):
                signals.append(item)
            else:
                entries += item
                size += sum(len(entry.value or b"") for entry in item)
            if len(entries) >= _GROUP or size >= _GROUP_BYTES:
                return _Batch(entries, signals, end=True)
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return _Batch(entries, signals, end=True)


class _Writer:
    """The writing thread's connection, and how long the log has grown."""

    def __init__(self, connection: sqlite3.Connection, since: int) -> None:
        self._connection, self._since = connection, since
        self._fold_at = FOLD_FROM
        self._last = file.last(connection)

    def commit(self, entries: list[Entry]) -> Outcome:
        """Commits a group, or tells why it could not be."""
        try:
            file.append(self._connection, entries)
        except Exception as error:  # noqa: BLE001 - whatever it is: those who wait must be told
            if self._connection.in_transaction:
                self._connection.rollback()
            return Outcome(self._last, error)
        self._last = entries[-1].version
        self._since += len(entries)
        return Outcome(self._last)

    def fold_if_long(self) -> None:
        """Folds the oldest writes into the snapshot. One that fails (a full disk) harms nothing and is tried again later."""
        if self._since < self._fold_at:
            return
        try:
            self._since -= file.fold(self._connection, FOLD_AT_ONCE)
            self._fold_at = FOLD_FROM
        except sqlite3.Error as error:
            self._fold_at = self._since + FOLD_AT_ONCE
            _log.warning("the store's log could not be compacted", reason=str(error))

    def close(self) -> None:
        """Notes that the run ended well, where that can still be written."""
        try:
            file.note(self._connection, open=0)
        except sqlite3.Error as error:
            _log.warning("the store could not be closed cleanly", reason=str(error))
        self._connection.close()
