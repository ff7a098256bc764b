"""What every store of the ledger promises (ports.records.Ledger): the fake, SQLite and PostgreSQL."""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts.postgres_server import postgres, programs
from kilde.adapters.store.key_file import KeyFile
from kilde.adapters.store.postgres_ledger import PostgresLedger
from kilde.adapters.store.postgres_ledger import _asyncpg as asyncpg
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.basics.errors import LedgerError
from kilde.core.ledger.checkpoint import read_checkpoint
from kilde.core.ledger.evidence import Note
from kilde.core.ledger.growth import leaf_of
from kilde.core.ledger.merkle import consistency, inclusion, is_consistent, root, root_by_inclusion
from kilde.core.ledger.people import shown
from kilde.core.ledger.record import GENESIS
from kilde.engine.records.notary import Notary
from kilde.ports.records import Ledger
from kilde.testing.records import MemoryRecords
from warm.program import warm_kilde

NOW = 1_700_000_000.5
_COUNT = itertools.count()
ANN, BOB = "Ann <ann@example.org>", "Bob <bob@example.org>"


@pytest.fixture(scope="module", autouse=True)  # begun before what a test leaves behind is counted
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """ "" where it is not installed."""
    if programs() is None:
        yield ""
        return
    with postgres(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture
def database(server: str) -> str:
    """A new one."""
    if not server:
        if os.environ.get("KILDE_REQUIRE_REAL") == "1":
            pytest.fail("postgresql is not installed")
        pytest.skip("postgresql is not installed")
    name = f"t{next(_COUNT)}"
    asyncio.run(_create(f"{server}/postgres", name))
    return f"{server}/{name}"


async def _create(address: str, name: str) -> None:
    connection = await asyncpg().connect(address)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with contextlib.ExitStack() as stack:
        if request.param == "memory":
            yield MemoryRecords()
        elif request.param == "postgres":
            yield stack.enter_context(PostgresLedger(request.getfixturevalue("database")))
        else:
            yield stack.enter_context(SqliteLedger(tmp_path / "ledger.sqlite"))


@pytest.fixture
def notary(ledger: Ledger, tmp_path: Path) -> Notary:
    return Notary(ledger, KeyFile(tmp_path / "ledger.key"), now=NOW)


def fill(ledger: Ledger, count: int) -> None:
    for number in range(count):
        ledger.append("note", {"n": number}, at=NOW + number)


def operation(ledger: Ledger, author: str, at: float, *, close: bool = True) -> int:
    revision = {"sha": "a" * 40, "author": author, "committer": BOB, "reviewers": [ANN, BOB]}
    body: dict[str, object] = {"application": "argocd/web", "askedBy": "automated", "revision": revision}
    number = ledger.append("operation-opened", body, at=at).number
    if close:
        ledger.append("operation-closed", {"operation": number, "phase": "Succeeded"}, at=at)
    return number


def test_records_are_numbered_chained_and_come_back(ledger: Ledger) -> None:
    bodies: list[dict[str, object]] = [{"text": 'ø\n"', "deep": [{"a": None}]}, {}, {"number": 3}]
    added = [ledger.append("note", body, at=NOW) for body in bodies]

    assert [(record.number, record.body) for record in added] == list(enumerate(bodies, start=1))
    assert [record.previous for record in added] == [GENESIS, added[0].hash, added[1].hash]
    assert (list(ledger.read()), list(ledger.read(first=2, last=2))) == (added, added[1:2])
    assert (ledger.head(), ledger.end().number, ledger.end().hash) == (added[2], 3, added[2].hash)
    assert ledger.verify().intact


def test_what_is_no_json_is_refused_and_leaves_no_trace(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="a record of kind 'bad' is not JSON"):
        ledger.append("bad", {"set": object()}, at=NOW)

    assert (ledger.head(), ledger.end().number, ledger.verify().records) == (None, 0, 0)


def test_operations_are_open_until_a_closing_names_them(ledger: Ledger) -> None:
    operation(ledger, ANN, NOW)
    left = operation(ledger, ANN, NOW, close=False)

    assert [record.number for record in ledger.open_operations()] == [left]


def test_every_record_is_proved_to_be_in_every_later_tree(ledger: Ledger) -> None:
    roots = [root(())]
    for size in range(1, 20):
        fill(ledger, 1)
        roots.append(root(ledger.end().edge))
        for number, record in enumerate(ledger.read()):
            path = inclusion(ledger.node, number, size)
            assert root_by_inclusion(leaf_of(record.hash), number, size, path) == roots[-1]
        for old in range(1, size):
            assert is_consistent(old, roots[old], size, roots[-1], consistency(ledger.node, old, size))


def test_nodes_of_a_large_tree_are_stored_and_found(ledger: Ledger) -> None:
    fill(ledger, 600)
    last = ledger.head()
    assert last is not None

    path = inclusion(ledger.node, 599, 600)

    assert root_by_inclusion(leaf_of(last.hash), 599, 600, path) == root(ledger.end().edge)
    assert ledger.verify().intact


def test_people_are_kept_beside_the_records(ledger: Ledger) -> None:
    operation(ledger, ANN, NOW)
    operation(ledger, ANN, NOW)

    records = [record for record in ledger.read() if record.kind == "operation-opened"]
    said = " ".join(str(record.body) for record in records)
    assert "Ann" not in said
    assert "bob" not in said
    assert records[0].body["revision"] == records[1].body["revision"]  # one reference a person
    assert sorted(person.text for person in ledger.people().values()) == [ANN, BOB]
    revision = shown(records[0].body, ledger.people())["revision"]
    assert revision == {"sha": "a" * 40, "author": ANN, "committer": BOB, "reviewers": [ANN, BOB]}
    assert records[0].body["askedBy"] == "automated"


def test_an_erasure_removes_the_person_and_no_proof(ledger: Ledger, notary: Notary) -> None:
    operation(ledger, ANN, NOW)
    before = notary.checkpoint()

    [record] = notary.erase("ann@example.org", reason="asked for it", by="carol@desk", now=NOW)

    assert sorted(person.text for person in ledger.people().values()) == [BOB, "carol@desk"]
    opened = next(one for one in ledger.read() if one.kind == "operation-opened")
    assert shown(opened.body, ledger.people())["revision"]["author"] == "(erased)"
    assert (record.kind, record.body["person"], record.body["reason"]) == (
        "person-erased",
        opened.body["revision"]["author"],
        "asked for it",
    )
    assert ledger.verify(notes=[Note("a witness", before)]).findings == ()
    with pytest.raises(LedgerError, match="the ledger knows no such person"):
        notary.erase("ann@example.org", reason="", by="", now=NOW)


def test_one_who_comes_back_after_an_erasure_is_somebody_new(ledger: Ledger, notary: Notary) -> None:
    operation(ledger, ANN, NOW)
    notary.erase(ANN, reason="asked for it", by="automated", now=NOW)
    operation(ledger, ANN, NOW)

    authors = [r.body["revision"]["author"] for r in ledger.read() if r.kind == "operation-opened"]
    assert authors[0] != authors[1]
    assert ledger.verify().findings == ()


def test_retention_gives_up_old_records_behind_a_signed_checkpoint(ledger: Ledger, notary: Notary) -> None:
    for day in range(10):
        operation(ledger, f"{day} <{day}@example.org>", NOW + day * 86400)
    witnessed = notary.checkpoint()

    record = notary.prune(NOW + 5 * 86400, reason="five days", by="automated", now=NOW + 10 * 86400)

    assert (record.kind, record.body["first"], record.body["last"]) == ("records-pruned", 1, 11)
    assert ledger.pruned() == 11
    assert [one.number for one in ledger.read()] == list(range(12, 23))
    assert sorted(p.text for p in ledger.people().values())[:5] == [f"{n} <{n}@example.org>" for n in range(5, 10)]
    assert ledger.verify(notes=[Note("a witness", witnessed)]).findings == ()
    # and what is left is still proved, from the first record that was given up on
    size = ledger.end().number
    for index in range(size):
        assert inclusion(ledger.node, index, size)
    # it can be done again, and the key is still known
    operation(ledger, ANN, NOW + 20 * 86400)
    notary.prune(NOW + 8 * 86400, reason="five days", by="automated", now=NOW + 30 * 86400)
    notary.rotate(now=NOW)
    assert ledger.verify(notes=[Note("a witness", witnessed), Note("another", notary.checkpoint())]).findings == ()


def test_an_open_operation_is_never_given_up(ledger: Ledger, notary: Notary) -> None:
    operation(ledger, ANN, NOW)
    operation(ledger, ANN, NOW, close=False)
    operation(ledger, ANN, NOW)

    record = notary.prune(NOW + 100, reason="", by="automated", now=NOW)

    assert record.body["last"] == 3
    with pytest.raises(LedgerError, match="operation 4 is still open"):
        ledger.prune(5, checkpoint="", kept=[], reason="", by="", at=NOW)
    with pytest.raises(LedgerError, match="no record from before then"):
        notary.prune(NOW - 100, reason="", by="automated", now=NOW)


def test_a_checkpoint_is_signed_once_a_size_and_by_the_newest_key(ledger: Ledger, notary: Notary) -> None:
    fill(ledger, 3)
    first = notary.checkpoint()
    old, new = notary.verifier_keys()[0], notary.rotate(now=NOW)
    second = notary.checkpoint()

    assert notary.checkpoint(4) == first
    assert read_checkpoint(first, [old]).size == 4
    assert read_checkpoint(second, [new]).root == root(ledger.end().edge)
    assert (notary.verifier_keys(), old.name) == ([old, new], new.name)
    assert ledger.checkpoints() == [first, second]
    assert ledger.verify(trusted=old).findings == ()


def test_a_rewound_and_a_forked_ledger_are_found_by_a_checkpoint(
    ledger: Ledger, notary: Notary, tmp_path: Path, make_other: Callable[[], Ledger]
) -> None:
    fill(ledger, 10)
    note = Note("the witness", notary.checkpoint())
    first = next(iter(ledger.read()))
    other = make_other()
    other.append(first.kind, first.body, at=NOW)  # the same key, and another history
    fill(other, 5)

    shorter = other.verify(notes=[note]).findings
    for number in range(5):
        other.append("note", {"n": number, "other": True}, at=NOW)
    forked = other.verify(notes=[note]).findings

    assert [(f.tampering, f.number, f.last, f.what) for f in shorter] == [
        ("truncated", 7, 11, "the witness keeps a checkpoint of 11 records, 6 are left")
    ]
    assert [(f.tampering, f.what) for f in forked] == [
        ("forked", "the witness keeps a checkpoint of the first 11 records, and these are others")
    ]
    assert [f.tampering for f in MemoryRecords().verify(notes=[note]).findings] == ["forked"]
    assert (
        ledger.verify(trusted=Notary(MemoryRecords(), KeyFile(tmp_path / "x"), now=NOW).verifier_keys()[0]).findings
        != ()
    )


@pytest.fixture
def make_other() -> Callable[[], Ledger]:
    return MemoryRecords


# what PostgreSQL alone must do


def test_replicas_make_one_chain(database: str) -> None:
    """Four at a time, each with a connection of its own; they make the tables together, too."""

    def append(number: int) -> None:
        with PostgresLedger(database) as ledger:
            for n in range(25):
                operation(ledger, f"user {n % 3}", NOW + n)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))

    with PostgresLedger(database) as ledger:
        verdict = ledger.verify()
        assert (verdict.findings, verdict.records) == ((), 200)
        assert len(ledger.people()) == 5


STATEMENTS = [
    "UPDATE kilde_records SET body = '{}' WHERE number = 2",
    "DELETE FROM kilde_records WHERE number = 2",
    "TRUNCATE kilde_records",
    "INSERT INTO kilde_records VALUES (9, '', '', '{}', '', '')",
    "UPDATE kilde_head SET number = 1",
    "UPDATE kilde_people SET text = 'Eve'",
    "DELETE FROM kilde_people",
    "DELETE FROM kilde_head",
    "INSERT INTO kilde_given_up VALUES (1, 'x')",
]


def test_the_database_itself_refuses(database: str) -> None:
    with PostgresLedger(database) as ledger:
        operation(ledger, ANN, NOW)
        for statement in STATEMENTS:
            with pytest.raises(LedgerError, match="it cannot be used: RaiseError"):
                ledger._query(statement)
        assert ledger.verify().findings == ()


def test_an_edit_by_the_databases_owner_is_found_and_named(database: str) -> None:
    with PostgresLedger(database) as ledger:
        for _ in range(5):
            operation(ledger, ANN, NOW)
        ledger._query("SET session_replication_role = replica")  # triggers do not fire for who may do this
        ledger._query("UPDATE kilde_records SET body = replace(body, 'argocd/web', 'argocd/api') WHERE number = 3")
        ledger._query("DELETE FROM kilde_records WHERE number = 6")

        found = [(str(finding.tampering), finding.number) for finding in ledger.verify().findings]

    assert found == [("altered", 3), ("removed", 6)]


def test_a_lost_connection_is_told_and_the_next_call_has_a_new_one(database: str) -> None:
    with PostgresLedger(database) as ledger, PostgresLedger(database) as other:
        operation(ledger, ANN, NOW)
        [(pid,)] = ledger._query("SELECT pg_backend_pid()")
        other._query("SELECT pg_terminate_backend($1)", pid)
        with contextlib.suppress(LedgerError):
            ledger.append("note", {}, at=NOW)
        ledger.append("note", {}, at=NOW)
        assert ledger.verify().findings == ()


def test_a_server_that_is_away_or_newer_is_told_without_the_password(database: str) -> None:
    with pytest.raises(LedgerError) as away:
        PostgresLedger("postgresql://kilde:canary@127.0.0.1:9/ledger")
    with PostgresLedger(database) as ledger:
        ledger._query("UPDATE kilde_ledger_version SET version = 9")
    with pytest.raises(LedgerError, match="it is a ledger of version 9, this kilde reads version 2"):
        PostgresLedger(database)

    assert str(away.value).startswith("postgresql://127.0.0.1:9/ledger: it cannot be reached")
    assert "canary" not in str(away.value)


def test_the_command_line_uses_the_shared_one(database: str, tmp_path: Path) -> None:
    environment = {**os.environ, "KILDE_LEDGER": database, "PYTHONPATH": os.pathsep.join(sys.path)}

    def kilde(*arguments: str) -> str:
        command = [str(warm_kilde()), "ledger", *arguments, "--data-dir", str(tmp_path / "data")]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=100).stdout

    with PostgresLedger(database) as ledger:
        operation(ledger, ANN, NOW)

    checkpoint = kilde("checkpoint")
    assert checkpoint.split("\n")[1] == "3"  # the operation's two, and the key's
    assert kilde("verify").startswith("intact: 3 records")
    assert "argocd/web" in kilde("log")
    assert kilde("export", "--out", str(tmp_path / "audit.zip")).startswith(
        f"wrote {tmp_path}/audit.zip: records 1 to 3"
    )
