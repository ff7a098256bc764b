"""The SQLite file of a store: its format, opening and upgrading it, and the statements that read and write it.

`snapshot` holds each object as of some resourceVersion, `writes` what came after it: one row a commit, its entries as MessagePack, so
that a commit is one statement. Every value carries its CRC-32, which SQLite's own pages do not.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kilde.kubeapi.storage.journal import Durability, Entry, StorageUnreadable

FORMAT = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS writes (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, entries BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS snapshot (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_SLICE = 400  # rows in one statement: SQLite takes 32,766 parameters
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode


def connect(path: Path, durability: Durability = Durability.FULL) -> sqlite3.Connection:
    """A connection in WAL mode that begins its transactions itself."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    for pragma in ("journal_mode=WAL", f"synchronous={durability}", "cache_size=-4000", "journal_size_limit=67108864"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def prepare(connection: sqlite3.Connection, name: str) -> int:
    """Makes the tables, or brings an older file to today's format: the format it had (0: it is new or today's)."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > FORMAT:
        told = f"written by a newer version (format {found}; this one reads up to {FORMAT})"
        raise StorageUnreadable(f"{told}: run that version, or choose another data directory", about=name)
    if found == FORMAT:
        return 0
    old = connection.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('log', 'objects')").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        if old:
            _upgrade_from_1(connection)
        connection.execute(f"PRAGMA user_version={FORMAT}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return 1 if old else 0


def _upgrade_from_1(connection: sqlite3.Connection) -> None:
    """Format 1 had a row a write (`log`) and no checksums."""
    for query in ("SELECT version, key, value FROM objects", "SELECT version, key, value FROM log ORDER BY version"):
        rows = connection.execute(query)
        while batch := rows.fetchmany(_SLICE):
            keep(connection, [Entry(*row) for row in batch])
    newest = int(connection.execute("SELECT max(version) FROM log").fetchone()[0] or 0)
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('version', ?)", (max(newest, _fact(connection)),))
    connection.execute("DROP TABLE log")
    connection.execute("DROP TABLE objects")


def append(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Commits a group of writes in one statement, hence whole or not at all."""
    data = _encode(entries)
    row = (entries[-1].version, entries[0].version, data, zlib.crc32(data))
    connection.execute("INSERT INTO writes VALUES (?, ?, ?, ?)", row)


def fold(connection: sqlite3.Connection, most: int) -> int:
    """Moves the oldest groups of about so many writes into the snapshot, in one transaction: how many writes there were."""
    entries: list[Entry] = []
    last = 0
    rows = connection.execute("SELECT last, entries, crc FROM writes ORDER BY last")
    for version, data, crc in rows:
        if zlib.crc32(data) == crc:
            entries += _decode(data)
        last = version
        if len(entries) >= most:
            break
    rows.close()
    connection.execute("BEGIN IMMEDIATE")
    try:
        keep(connection, entries)
        connection.execute("INSERT OR REPLACE INTO facts VALUES ('version', ?)", (max(last, _fact(connection)),))
        connection.execute("DELETE FROM writes WHERE last <= ?", (last,))
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
    return len(entries)


def keep(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Brings the snapshot up to these writes (oldest first)."""
    newest = {entry.key: entry for entry in entries}
    kept = [entry for entry in newest.values() if entry.value is not None]
    gone = [entry.key for entry in newest.values() if entry.value is None]
    for start in range(0, len(kept), _SLICE):
        part = kept[start : start + _SLICE]
        values = [
            cell for entry in part for cell in (entry.key, entry.version, entry.value, zlib.crc32(entry.value or b""))
        ]
        places = ", ".join(["(?, ?, ?, ?)"] * len(part))
        connection.execute(f"INSERT OR REPLACE INTO snapshot VALUES {places}", values)  # noqa: S608 - places only
    for start in range(0, len(gone), _SLICE):
        names = gone[start : start + _SLICE]
        places = ", ".join("?" * len(names))
        connection.execute(f"DELETE FROM snapshot WHERE key IN ({places})", names)  # noqa: S608 - places only


def _fact(connection: sqlite3.Connection, name: str = "version") -> int:
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else 0


def last(connection: sqlite3.Connection) -> int:
    """The highest resourceVersion that was kept or promised."""
    newest = connection.execute("SELECT max(last) FROM writes").fetchone()[0]
    return max(int(newest or 0), _fact(connection))


def note(connection: sqlite3.Connection, **facts: int) -> None:
    """Writes facts about the store."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))
    connection.execute("COMMIT")


def was_closed(connection: sqlite3.Connection) -> bool:
    """Whether the last run closed the store; True of a new one."""
    found = connection.execute("SELECT value FROM facts WHERE name = 'open'").fetchone()
    return not (found and found[0])


def read_snapshot(rows: Iterator[tuple[str, int, bytes, int]], problems: list[str]) -> Iterator[Entry]:
    """The entries of snapshot rows; those whose checksum is wrong are left out and told."""
    for key, version, value, crc in rows:
        if zlib.crc32(value) == crc:
            yield Entry(version, key, value)
        else:
            problems.append(f"the object {key} is damaged and lost")


def read_writes(rows: Iterator[tuple[int, int, bytes, int]], problems: list[str]) -> Iterator[Entry]:
    """The same for the writes since."""
    for newest, first, data, crc in rows:
        if zlib.crc32(data) == crc:
            yield from _decode(data)
        else:
            problems.append(f"the writes {first} to {newest} are damaged and lost")


SNAPSHOT = "SELECT key, version, value, crc FROM snapshot ORDER BY rowid"
WRITES = "SELECT last, first, entries, crc FROM writes ORDER BY last"
