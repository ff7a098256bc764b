"""Whatever somebody with the file and a SQLite shell does to a ledger is found, and an untouched one is never accused.

`KILDE_TAMPERINGS=1000` tries more of them; `KILDE_SEED` others.
"""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from kilde.adapters.store.key_file import KeyFile
from kilde.adapters.store.sqlite_ledger import Entry, SqliteLedger
from kilde.core.ledger.chain import Finding
from kilde.engine.records.notary import Notary

COUNT = int(os.environ.get("KILDE_TAMPERINGS", "200"))
SEED = int(os.environ.get("KILDE_SEED", "1"))
NOW = 1_700_000_000.0
Tamper = Callable[[sqlite3.Connection, random.Random], tuple[int, int]]
"""Does something to the file; gives the first and last record that it is about (0, 0: no single one)."""


def grow(path: Path, dice: random.Random, *, prune: bool) -> None:
    """A ledger that has lived: operations of several people, checkpoints, another key, an erasure, perhaps a retention."""
    with SqliteLedger(path) as ledger:
        notary = Notary(ledger, KeyFile(path.with_name("ledger.key")), now=NOW)
        for part in range(5):
            notary.checkpoint()
            entries: list[Entry] = []
            for step in range(60 * part, 60 * part + dice.randint(30, 60)):
                author = f"P{dice.randrange(6)} <p{dice.randrange(6)}@example.org>"
                opened = {"application": "argocd/a", "askedBy": "x@desk", "revision": {"author": author}}
                entries.append(("operation-opened", opened, NOW + step))
                number = ledger.end().number + len(entries)
                entries.append(("operation-closed", {"operation": number, "phase": "Succeeded"}, NOW + step))
            ledger.append_all(entries)
        notary.rotate(now=NOW + 400)
        notary.erase(
            dice.choice(sorted(person.text for person in ledger.people().values())),
            reason="r",
            by="me@desk",
            now=NOW + 400,
        )
        notary.checkpoint()
        if prune:
            notary.prune(NOW + dice.randint(20, 200), reason="old", by="me@desk", now=NOW + 500)
        ledger.append("note", {"after": "all"}, at=NOW + 600)


def flipped(text: str, dice: random.Random) -> str:
    """The text with one character changed, taken out or put in."""
    at = dice.randrange(len(text))
    other = dice.choice([c for c in 'abcdef0123456789 "{}:,é' if c != text[at]])
    return dice.choice([text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + other + text[at:]])


def numbers(db: sqlite3.Connection) -> list[int]:
    return [number for (number,) in db.execute("SELECT number FROM records ORDER BY number")]


def alter(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    number, column = dice.choice(numbers(db)), dice.choice(["at", "kind", "body", "previous", "hash"])
    (text,) = db.execute(f"SELECT {column} FROM records WHERE number = ?", (number,)).fetchone()
    while True:
        try:
            db.execute(f"UPDATE records SET {column} = ? WHERE number = ?", (flipped(text, dice), number))
            break
        except sqlite3.OperationalError:  # a body that is no JSON any more: SQLite itself does not take it
            continue
    return number, number


def remove(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    there = numbers(db)
    begin = dice.randrange(len(there))
    end = min(len(there) - 1, begin + dice.choice([0, 0, 1, 5, 1000]))
    db.execute("DELETE FROM records WHERE number BETWEEN ? AND ?", (there[begin], there[end]))
    return there[begin], there[end]


def cut_off(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    """The end goes, and the head is made to fit: only what is kept beside the records tells."""
    there = numbers(db)
    left = dice.choice(there[:-1])
    db.execute("DELETE FROM records WHERE number > ?", (left,))
    db.execute("UPDATE head SET number = ?, hash = (SELECT hash FROM records WHERE number = ?)", (left, left))
    return left + 1, there[-1]


def swap(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    one, other = sorted(dice.sample(numbers(db), 2))
    for before, after in ((one, -1), (other, one), (-1, other)):
        db.execute("UPDATE records SET number = ? WHERE number = ?", (after, before))
    return one, other


def tree(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    bits = dice.randbytes(32)
    level, place = dice.choice(db.execute("SELECT level, place FROM nodes").fetchall())
    db.execute("UPDATE nodes SET hash = ? WHERE level = ? AND place = ?", (bits, level, place))
    return (place << level) + 1, (place + 1) << level


def edge(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    (stored,) = db.execute("SELECT edge FROM head").fetchone()
    at = dice.randrange(len(stored))
    db.execute("UPDATE head SET edge = ?", (stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :],))
    return 0, 0


def person(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    ref, _, text = dice.choice(db.execute("SELECT ref, key, text FROM people").fetchall())
    how = dice.randrange(3)
    if how == 0:
        db.execute("DELETE FROM people WHERE ref = ?", (ref,))
    elif how == 1:
        db.execute("UPDATE people SET text = ? WHERE ref = ?", (flipped(text, dice) + "!", ref))
    else:
        db.execute("UPDATE people SET key = ? WHERE ref = ?", (dice.randbytes(32).hex(), ref))
    return 0, 0


def checkpoint(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    size, note = dice.choice(db.execute("SELECT size, note FROM checkpoints").fetchall())
    db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (flipped(note, dice), size))
    return 0, 0


def given_up(db: sqlite3.Connection, dice: random.Random) -> tuple[int, int]:
    there = db.execute("SELECT number, hash FROM given_up").fetchall()
    if not there:
        return remove(db, dice)
    number, _ = dice.choice(there)
    if dice.random() < 0.5:
        db.execute("UPDATE given_up SET hash = ? WHERE number = ?", (dice.randbytes(32).hex(), number))
    else:
        db.execute("DELETE FROM given_up WHERE number = ?", (number,))
    return 0, 0


WAYS: list[Tamper] = [alter, alter, alter, remove, cut_off, swap, tree, edge, person, checkpoint, given_up]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    found = []
    for number in range(4):
        path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
        grow(path, random.Random(f"{SEED}-{number}"), prune=number % 2 == 1)
        found.append(path)
    return found


def findings(path: Path) -> tuple[Finding, ...]:
    with SqliteLedger.open_to_read(path) as ledger:
        return ledger.verify().findings


def tampered(source: Path, folder: Path, way: Tamper, dice: random.Random) -> tuple[Path, tuple[int, int]]:
    for file in source.parent.iterdir():
        shutil.copy(file, folder / file.name)
    path = folder / source.name
    db = sqlite3.connect(path)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    about = way(db, dice)
    db.commit()
    db.close()
    return path, about


def test_every_tampering_is_found_and_its_place_named(grown: list[Path], tmp_path: Path) -> None:
    missed = []
    for number in range(COUNT):
        dice = random.Random(f"{SEED}-{number}")
        way = dice.choice(WAYS)
        path, (first, last) = tampered(dice.choice(grown), tmp_path, way, dice)
        found = findings(path)
        placed = not first or any(f.number <= last and max(f.number, f.last) >= first for f in found)
        if not found or not placed:
            missed.append((number, way.__name__, first, last, found[:3]))

    assert missed == []


def test_none_that_nobody_touched_is_accused(tmp_path: Path) -> None:
    accused = []
    for number in range(COUNT if COUNT >= 1000 else COUNT // 10):
        path = tmp_path / f"{number}" / "ledger.sqlite"
        grow(path, random.Random(f"{SEED}-untouched-{number}"), prune=number % 2 == 0)
        if found := findings(path):
            accused.append((number, found[:3]))

    assert accused == []
