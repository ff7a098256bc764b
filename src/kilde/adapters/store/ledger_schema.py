"""The ledger's tables. Rows can be added and read; the database itself refuses to change or remove one.

There are two narrow ways past that, each behind a record that says so: a person's name goes once a record erases it (or none names
it), and old records go once a record gives them up and their hashes are kept.
"""

import sqlite3

from kilde.core.ledger.growth import leaf_of
from kilde.core.ledger.merkle import Edge, grown, packed

VERSION = 2

_RECORDS = """
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

_TREE_AND_PEOPLE = """
CREATE INDEX notices ON records (kind) WHERE kind NOT IN ('operation-opened', 'operation-closed');

-- What core/ledger/merkle.py has worth storing: complete subtrees, by level and place.
CREATE TABLE nodes (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash  BLOB NOT NULL,
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER nodes_keep BEFORE UPDATE ON nodes
    BEGIN SELECT RAISE(ABORT, 'nodes of the tree are never changed'); END;
CREATE TRIGGER nodes_stay BEFORE DELETE ON nodes
    BEGIN SELECT RAISE(ABORT, 'nodes of the tree are never removed'); END;

-- Checkpoints that were signed: one a size.
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TRIGGER checkpoints_keep BEFORE UPDATE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoints_stay BEFORE DELETE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never removed'); END;

-- Who the references in records stand for; see core/ledger/people.py.
CREATE TABLE people (ref TEXT PRIMARY KEY, key TEXT NOT NULL, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TRIGGER people_keep BEFORE UPDATE ON people
    BEGIN SELECT RAISE(ABORT, 'people are never changed'); END;
CREATE TRIGGER people_stay BEFORE DELETE ON people
    WHEN NOT EXISTS (SELECT 1 FROM records
                     WHERE kind = 'person-erased' AND json_extract(body, '$.person') = OLD.ref)
      AND EXISTS (SELECT 1 FROM records WHERE instr(body, OLD.ref))
    BEGIN SELECT RAISE(ABORT, 'people are erased behind a record that says so'); END;

-- The hashes of records that retention gave up: all that proofs need of them.
CREATE TABLE given_up (number INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT;
CREATE TRIGGER given_up_follow BEFORE INSERT ON given_up
    WHEN NOT EXISTS (SELECT 1 FROM records WHERE number = NEW.number AND hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, 'only records are given up'); END;
CREATE TRIGGER given_up_keep BEFORE UPDATE ON given_up
    BEGIN SELECT RAISE(ABORT, 'hashes of records are never changed'); END;
CREATE TRIGGER given_up_stay BEFORE DELETE ON given_up
    BEGIN SELECT RAISE(ABORT, 'hashes of records are never removed'); END;
CREATE TRIGGER records_stay BEFORE DELETE ON records
    WHEN NOT EXISTS (SELECT 1 FROM given_up WHERE number = OLD.number AND hash = OLD.hash)
      OR NOT EXISTS (SELECT 1 FROM records
                     WHERE kind = 'records-pruned' AND json_extract(body, '$.last') >= OLD.number AND number > OLD.number)
    BEGIN SELECT RAISE(ABORT, 'records are never removed'); END;
"""


def prepare(connection: sqlite3.Connection, genesis: str) -> None:
    """Makes the tables in an empty database, or adds what an older one lacks; all or none. `genesis`: the hash before the first."""
    if _version(connection) >= VERSION:
        return
    connection.execute("BEGIN EXCLUSIVE")
    with connection:
        version = _version(connection)  # another process may have been faster
        if version == 0:
            _run(connection, _RECORDS)
            connection.execute("INSERT INTO head (only, number, hash) VALUES (1, 0, ?)", (genesis,))
        if version < VERSION:
            _add_tree_and_people(connection)
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _add_tree_and_people(connection: sqlite3.Connection) -> None:
    """From version 1: the tree is worked out over the hashes as they are stored, so that what was tampered with is found as before."""
    connection.execute("DROP TRIGGER IF EXISTS records_stay")
    connection.execute("DROP TRIGGER IF EXISTS head_advances")
    connection.execute("ALTER TABLE head ADD COLUMN edge BLOB NOT NULL DEFAULT x''")
    _run(connection, _TREE_AND_PEOPLE)
    edge: Edge = ()
    for size, (hash_,) in enumerate(connection.execute("SELECT hash FROM records ORDER BY number")):
        edge, nodes = grown(edge, size, leaf_of(hash_))
        connection.executemany("INSERT INTO nodes (level, place, hash) VALUES (?, ?, ?)", nodes)
    connection.execute("UPDATE head SET edge = ?", (packed(edge),))
    head = "CREATE TRIGGER head_advances" + _RECORDS.partition("CREATE TRIGGER head_advances")[2]
    _run(connection, head)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _run(connection: sqlite3.Connection, script: str) -> None:
    """One statement after the other: executescript would commit behind our back."""
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            connection.execute(gathered)
            gathered = ""
