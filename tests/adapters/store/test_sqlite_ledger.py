"""The ledger's file: it keeps what it promised, whoever ends it and whoever edits it."""

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.store import version_1
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.basics.errors import LedgerError
from kilde.core.ledger.chain import Anchor, Tampering
from kilde.core.ledger.growth import leaf_of
from kilde.core.ledger.merkle import inclusion, root, root_by_inclusion
from kilde.core.ledger.record import GENESIS, record_hash

NOW = 1_700_000_000.5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    with SqliteLedger(path) as opened:
        yield opened


def five(path: Path) -> None:
    with SqliteLedger(path) as ledger:
        ledger.append_all([("note", {"n": n, **({"by": "ann@desk"} if n == 5 else {})}, NOW + n) for n in range(1, 6)])


def edit(path: Path, *statements: str) -> None:
    """What somebody with the file and a SQLite shell can do: the guards are dropped first."""
    connection = sqlite3.connect(path)
    guards = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in guards:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def findings(path: Path, *known: Anchor) -> list[tuple[str, int]]:
    with SqliteLedger.open_to_read(path) as ledger:
        return [(str(finding.tampering), finding.number) for finding in ledger.verify(known).findings]


def test_records_come_back_as_they_were_given_numbered_from_one(ledger: SqliteLedger) -> None:
    bodies = [{"text": 'ø\n"', "deep": [{"a": None}]}, {}, {"number": 3}]

    added = [ledger.append("note", body, at=NOW) for body in bodies]

    assert list(ledger.read()) == added
    assert [(record.number, record.kind, record.body, record.at) for record in added] == [
        (number, "note", body, "2023-11-14T22:13:20.500Z") for number, body in enumerate(bodies, start=1)
    ]
    assert [record.previous for record in added] == [GENESIS, added[0].hash, added[1].hash]
    assert ledger.head() == added[-1]
    assert list(ledger.read(first=2, last=2)) == [added[1]]


def test_a_new_ledger_is_empty_and_intact_and_for_its_owner_only(ledger: SqliteLedger, path: Path) -> None:
    assert (list(ledger.read()), ledger.head(), ledger.open_operations()) == ([], None, [])
    assert ledger.verify().intact
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_head_is_written_beside_the_file_and_a_reader_of_it_holds_nobody_back(
    ledger: SqliteLedger, path: Path
) -> None:
    beside = path.with_name("ledger.sqlite.head")
    first = ledger.append("note", {}, at=NOW)
    with beside.open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        ledger.append("note", {}, at=NOW)
        assert (beside.read_text(), ledger.verify().intact) == (f"1 {first.hash}\n", True)

    last = ledger.append("note", {}, at=NOW)

    assert (beside.read_text(), beside.stat().st_mode & 0o777) == (f"3 {last.hash}\n", 0o600)


def test_operations_are_open_until_a_closing_names_them(ledger: SqliteLedger) -> None:
    ledger.append("operation-opened", {"application": "a"}, at=NOW)
    ledger.append("operation-opened", {"application": "b"}, at=NOW)
    ledger.append("operation-closed", {"operation": 1}, at=NOW)

    assert [record.body for record in ledger.open_operations()] == [{"application": "b"}]


def test_the_chain_goes_on_after_a_restart(path: Path) -> None:
    five(path)
    five(path)

    with SqliteLedger.open_to_read(path) as ledger:
        assert [record.number for record in ledger.read()] == list(range(1, 11))
        assert ledger.verify().intact


def test_two_writers_make_one_chain(path: Path) -> None:
    with SqliteLedger(path) as one, SqliteLedger(path) as other:
        for number in range(10):
            (one, other)[number % 2].append("note", {"n": number}, at=NOW)
        verdict = one.verify()

    assert (verdict.intact, verdict.records) == (True, 10)


def test_a_reader_sees_what_a_writer_appends_and_cannot_append(ledger: SqliteLedger, path: Path) -> None:
    with SqliteLedger.open_to_read(path) as reader:
        ledger.append("note", {}, at=NOW)

        assert reader.head() == ledger.head()
        with pytest.raises(LedgerError, match="opened to be read only"):
            reader.append("note", {}, at=NOW)


def test_all_of_a_batch_is_kept_or_none(ledger: SqliteLedger) -> None:
    with pytest.raises(LedgerError, match="a record of kind 'bad' is not JSON"):
        ledger.append_all([("note", {}, NOW), ("bad", {"set": object()}, NOW)])

    assert list(ledger.read()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET body = '{}' WHERE number = 2",
        "DELETE FROM records WHERE number = 5",
        "INSERT INTO records (number, at, kind, body, previous, hash) VALUES (9, '', '', '{}', '', '')",
        "UPDATE head SET number = 3",
        "DELETE FROM head",
        "UPDATE head SET edge = x''",
        "UPDATE people SET text = 'Eve'",
        "DELETE FROM people",
        "INSERT INTO given_up VALUES (1, 'x')",
        "DELETE FROM records WHERE number = 1",
    ],
)
def test_the_database_itself_refuses(path: Path, statement: str) -> None:
    five(path)
    connection = sqlite3.connect(path)
    try:
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE records SET body = '{\"n\":9}' WHERE number = 3"], [(Tampering.ALTERED, 3)]),
        (["UPDATE records SET body = '{\"n\": 3}' WHERE number = 3"], [(Tampering.ALTERED, 3)]),
        (["UPDATE records SET body = '{\"n\":9,\"n\":3}' WHERE number = 3"], [(Tampering.ALTERED, 3)]),
        (["UPDATE records SET body = '[]' WHERE number = 3"], [(Tampering.ALTERED, 3)]),
        (["UPDATE records SET at = '2000-01-01T00:00:00.000Z' WHERE number = 1"], [(Tampering.ALTERED, 1)]),
        (["UPDATE records SET hash = 'x' WHERE number = 5"], [(Tampering.ALTERED, 5)]),
        (["DELETE FROM records WHERE number = 2"], [(Tampering.REMOVED, 2)]),
        (["DELETE FROM records WHERE number > 3"], [(Tampering.TRUNCATED, 4)]),
        (["DELETE FROM records"], [(Tampering.TRUNCATED, 1)]),
        (
            [
                "DELETE FROM records WHERE number > 3",
                "UPDATE head SET number = 3, hash = (SELECT hash FROM records WHERE number = 3)",
            ],
            [(Tampering.TRUNCATED, 4)],
        ),
        (
            [
                "UPDATE records SET number = 99 WHERE number = 3",
                "UPDATE records SET number = 3 WHERE number = 4",
                "UPDATE records SET number = 4 WHERE number = 99",
            ],
            [(Tampering.REORDERED, 3), (Tampering.REORDERED, 4)],
        ),
    ],
)  # fmt: skip
def test_an_edit_with_a_sqlite_shell_is_found_and_named(
    path: Path, statements: list[str], expected: list[tuple[str, int]]
) -> None:
    five(path)

    edit(path, *statements)

    assert findings(path) == expected


def test_a_record_forged_with_a_fitting_hash_is_found(path: Path) -> None:
    five(path)
    with SqliteLedger.open_to_read(path) as ledger:
        last = ledger.head()
    assert last is not None
    forged = record_hash(number=6, at="", kind="note", body={}, previous=last.hash)

    edit(
        path,
        f"INSERT INTO records (number, at, kind, body, previous, hash) VALUES (6, '', 'note', '{{}}', '{last.hash}', '{forged}')",
    )

    assert findings(path) == [(Tampering.INSERTED, 6)]


def test_a_ledger_made_anew_is_found_by_a_head_kept_elsewhere(path: Path) -> None:
    five(path)
    with SqliteLedger.open_to_read(path) as ledger:
        kept = ledger.verify().head
    assert kept is not None
    for file in path.parent.iterdir():
        file.unlink()
    with SqliteLedger(path) as ledger:
        ledger.append_all([("note", {"n": "other"}, NOW) for _ in range(7)])

    assert findings(path) == []
    assert findings(path, kept) == [(Tampering.ALTERED, 5)]


def no_file(path: Path) -> None:
    path.parent.mkdir(parents=True)


def no_database(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("this is not a database, it is a text of some length")


def newer(path: Path) -> None:
    five(path)
    edit(path, "PRAGMA user_version = 7")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (no_file, "{}: there is no ledger (name the data directory of kilde up)"),
        (no_database, "{}: it cannot be used: file is not a database"),
        (newer, "{}: it is a ledger of version 7, this kilde reads version 2 (use a newer kilde)"),
    ],
)
def test_a_file_that_is_no_ledger_is_told_as_such(path: Path, make: Callable[[Path], None], message: str) -> None:
    make(path)

    with pytest.raises(LedgerError) as caught:
        SqliteLedger.open_to_read(path)

    assert str(caught.value) == message.format(path)


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from kilde.adapters.store.sqlite_ledger import SqliteLedger
    ledger = SqliteLedger(Path(sys.argv[1]))
    while True:
        body = {"text": "x" * 300, "askedBy": f"user {ledger.end().number % 7}"}
        print(ledger.append("note", body, at=0).number, flush=True)
""")
KILLS = int(os.environ.get("KILDE_KILLS", "20"))


def test_it_is_whole_after_its_writer_was_killed_at_any_moment(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    promised = 0
    for moment in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.0037 * (moment % 20))
            writer.send_signal(signal.SIGKILL)
            numbers = writer.stdout.read().split("\n")
        promised = max([promised, *(int(number) for number in numbers[:-1] if number)])

        with SqliteLedger.open_to_read(path) as ledger:
            verdict = ledger.verify()
        assert verdict.findings == ()
        assert verdict.records >= promised
    assert promised > KILLS


def test_a_full_disk_loses_nothing_and_the_ledger_goes_on_afterwards(path: Path) -> None:
    """The file may not grow any more, as on a full disk; what was promised stays, and with room again the chain goes on."""
    five(path)
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n" + WRITER
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", limited, str(path)], capture_output=True, env=environment, text=True, timeout=100
    )

    promised = max(int(line) for line in done.stdout.split())
    assert "LedgerError" in done.stderr
    assert "it cannot be used" in done.stderr
    with SqliteLedger(path) as ledger:
        verdict = ledger.verify()
        assert (verdict.findings, verdict.records >= promised) == ((), True)
        assert ledger.append("note", {}, at=NOW).number == verdict.records + 1
        assert ledger.verify().intact


def test_a_damaged_file_is_told_and_never_overwritten(path: Path) -> None:
    with SqliteLedger(path) as ledger:
        ledger.append_all([("note", {"text": "x" * 500}, NOW) for _ in range(200)])
    content = bytearray(path.read_bytes())
    content[4096:-4096] = os.urandom(len(content) - 8192)
    path.write_bytes(content)

    malformed = "it cannot be used: database disk image is malformed"
    with pytest.raises(LedgerError, match=malformed), SqliteLedger.open_to_read(path) as ledger:
        ledger.verify()
    with pytest.raises(LedgerError, match="it cannot be used"), SqliteLedger(path) as ledger:
        ledger.append("note", {}, at=NOW)
    assert path.read_bytes()[:100] == content[:100]
    assert len(path.read_bytes()) == len(content)


def test_an_older_ledger_is_brought_up_to_date_and_its_proofs_begin_at_its_first_record(path: Path) -> None:
    records = version_1.write(path, [{"askedBy": "ann@desk", "n": n} for n in range(600)])
    with SqliteLedger.open_to_read(path) as ledger:  # beside an older kilde, or before the first start
        assert (ledger.verify().findings, list(ledger.read())) == ((), records)
        with pytest.raises(LedgerError, match="of an older version, which had no proofs"):
            ledger.end()

    with SqliteLedger(path) as ledger:
        assert list(ledger.read()) == records
        assert ledger.verify().findings == ()
        assert root_by_inclusion(leaf_of(records[3].hash), 3, 600, inclusion(ledger.node, 3, 600)) == root(
            ledger.end().edge
        )
        added = ledger.append("note", {"askedBy": "ann@desk"}, at=NOW)
        assert (added.number, added.previous) == (601, records[-1].hash)
        assert added.body["askedBy"].startswith("person:")
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="records are never removed"):
        connection.execute("DELETE FROM records WHERE number = 3")
    connection.close()


def test_an_older_ledger_that_was_tampered_with_is_not_whitewashed_by_the_upgrade(path: Path) -> None:
    version_1.write(path, [{"n": n} for n in range(9)])
    edit(path, "UPDATE records SET body = '{\"n\":99}' WHERE number = 4")
    SqliteLedger(path).close()

    assert findings(path) == [(Tampering.ALTERED, 4)]
