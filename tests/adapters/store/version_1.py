"""A ledger as Kilde wrote it before it had a tree: version 1 of its tables, with names in the records."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kilde.core.basics.values import canonical
from kilde.core.ledger.record import GENESIS, Record, next_record

TABLES = """
CREATE TABLE records (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
    operation INTEGER GENERATED ALWAYS AS (json_extract(body, '$.operation')) VIRTUAL
) STRICT;
CREATE INDEX openings ON records (number) WHERE kind = 'operation-opened';
CREATE INDEX closings ON records (operation) WHERE kind = 'operation-closed';
CREATE TRIGGER records_follow BEFORE INSERT ON records
    WHEN NEW.number <> (SELECT number FROM head) + 1 OR NEW.previous <> (SELECT hash FROM head)
    BEGIN SELECT RAISE(ABORT, 'a record follows the head'); END;
CREATE TRIGGER records_stay BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'records are never removed'); END;
CREATE TRIGGER records_keep BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TRIGGER head_stays BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the head is never removed'); END;
CREATE TRIGGER head_advances BEFORE UPDATE ON head
    WHEN NEW.number <> OLD.number + 1 OR NOT EXISTS (SELECT 1 FROM records WHERE number = NEW.number AND hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, 'the head moves to the next record'); END;
"""


def write(path: Path, bodies: Sequence[dict[str, Any]]) -> list[Record]:
    """Makes such a file; gives its records."""
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(TABLES)
    connection.execute("INSERT INTO head VALUES (1, 0, ?)", (GENESIS,))
    records: list[Record] = []
    for body in bodies:
        made = next_record(records[-1] if records else None, "operation-opened", body, at=1_700_000_000.0)
        row = (made.number, made.at, made.kind, canonical(body).decode(), made.previous, made.hash)
        connection.execute(
            "INSERT INTO records (number, at, kind, body, previous, hash) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        connection.execute("UPDATE head SET number = ?, hash = ?", (made.number, made.hash))
        records.append(made)
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    (path.with_name(f"{path.name}.head")).write_text(f"{records[-1].number} {records[-1].hash}\n")
    return records
