"""Salvage: reads what can still be read of a damaged file into a new one, and keeps the damaged one beside it."""

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kilde.kubeapi.storage import file
from kilde.kubeapi.storage.journal import StorageUnreadable

_PARTS = ("", "-wal", "-shm")


def salvage(path: Path, why: str) -> tuple[str, ...]:
    """Replaces a damaged store by one with all that is readable of it: what is to be told. StorageUnreadable if nothing is."""
    aside = _free(path)
    for part in _PARTS:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + part).rename(aside.with_name(aside.name + part))
    problems = [f"the file was damaged ({why}); what could be read of it was kept, and the file is now {aside.name}"]
    try:
        _copy(aside, path, problems)
    except sqlite3.DatabaseError as error:
        for part in _PARTS:
            path.with_name(path.name + part).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                aside.with_name(aside.name + part).rename(path.with_name(path.name + part))
        told = f"damaged beyond reading ({error})"
        raise StorageUnreadable(
            f"{told}: restore a snapshot, or move the file away to begin with an empty cluster", about=path.name
        ) from error
    return tuple(problems)


def _free(path: Path) -> Path:
    tried = (path.with_name(f"{path.name}.damaged-{number}") for number in itertools.count(1))
    return next(one for one in tried if not one.exists())


def _copy(source: Path, target: Path, problems: list[str]) -> None:
    with contextlib.closing(sqlite3.connect(source, isolation_level=None)) as old:
        names = {row[0] for row in old.execute("SELECT name FROM sqlite_master")}
        if not {"snapshot", "writes"} <= names:
            raise sqlite3.DatabaseError("its tables cannot be found")
        target.touch(mode=0o600)
        with contextlib.closing(file.connect(target)) as new:
            file.prepare(new, target.name)
            objects = list(file.read_snapshot(_rows(old, file.SNAPSHOT, problems), problems))
            writes = sorted(file.read_writes(_rows(old, file.WRITES, problems), problems))
            file.keep(new, objects)
            versions = [entry.version for entry in (*objects, *writes)]
            with contextlib.suppress(sqlite3.DatabaseError):
                versions.append(file.last(old))
            for start in range(0, len(writes), 1000):
                file.append(new, writes[start : start + 1000])
            file.note(new, version=max(versions, default=0))


def _rows(connection: sqlite3.Connection, query: str, problems: list[str]) -> Iterator[Any]:
    """Rows from the front as far as they can be read, then from the back as far as they can: each once."""
    seen: set[Any] = set()
    for wanted in (query, f"{query} DESC"):
        try:
            for row in connection.execute(wanted):
                if row[0] in seen:
                    return
                seen.add(row[0])
                yield row
            return
        except sqlite3.DatabaseError:
            table = query.split(" FROM ")[1].split()[0]
            told = f"a part of the {table} cannot be read and is lost"
            if told not in problems:
                problems.append(told)
