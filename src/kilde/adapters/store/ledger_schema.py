"""The ledger's tables. Rows can be added and read; the database itself refuses to change or remove one."""

import sqlite3

VERSION = 1

_TABLES = """
CREATE TABLE records (
    number   INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL,
    -- Which operation a closing closes; worked out from the body, so that it cannot say anything else.
    operation INTEGER GENERATED ALWAYS AS (json_extract(body, '$.operation')) VIRTUAL
) STRICT;
CREATE INDEX openings ON records (number) WHERE kind = 'operation-opened';
CREATE INDEX closings ON records (operation) WHERE kind = 'operation-closed';
CREATE TRIGGER records_follow BEFORE INSERT ON records
    WHEN NEW.number <> (SELECT number FROM head) + 1 OR NEW.previous <> (SELECT hash FROM head)
    BEGIN SELECT RAISE(ABORT, 'a record follows the head'); END;
CREATE TRIGGER records_stay BEFORE DELETE ON records
    BEGIN SELECT RAISE(ABORT, 'records are never removed'); END;
CREATE TRIGGER records_keep BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;

CREATE TABLE head (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL,
    hash   TEXT NOT NULL
) STRICT;
CREATE TRIGGER head_stays BEFORE DELETE ON head
    BEGIN SELECT RAISE(ABORT, 'the head is never removed'); END;
CREATE TRIGGER head_advances BEFORE UPDATE ON head
    WHEN NEW.number <> OLD.number + 1
      OR NOT EXISTS (SELECT 1 FROM records WHERE number = NEW.number AND hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, 'the head moves to the next record'); END;
"""


def create(connection: sqlite3.Connection, genesis: str) -> None:
    """Makes the tables in an empty database, all or none; `genesis` is the hash before the first record."""
    connection.execute("BEGIN EXCLUSIVE")
    with connection:
        if connection.execute("PRAGMA user_version").fetchone()[0]:
            return  # another process was faster
        for statement in _statements(_TABLES):
            connection.execute(statement)
        connection.execute("INSERT INTO head (only, number, hash) VALUES (1, 0, ?)", (genesis,))
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> list[str]:
    """One statement after the other: executescript would commit behind our back."""
    found, gathered = [], ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            found.append(gathered)
            gathered = ""
    return found
