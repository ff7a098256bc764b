"""What every witness promises (ports.witness): a file, a ref of a repository, an object store."""

import asyncio
import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.object_store import ACCESS, SECRET, ObjectStore, object_store
from kilde.adapters.clock import SystemClock
from kilde.adapters.store.key_file import KeyFile
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.basics.aws_signature import Keys, Signer
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.ledger.checkpoint import ORIGIN
from kilde.engine.records.notary import Notary
from kilde.engine.records.witnessing import Witnessing, contradictions, heard
from kilde.ports.witness import Witness
from kilde.wiring.witnesses import open_witness

NOTE = f"{ORIGIN}1\n{{}}\nroot\n\n— {ORIGIN}1 c2lnbmF0dXJl\n"
Open = Callable[[str], contextlib.AbstractContextManager[Witness]]
NOW = 1_700_000_000.0


@pytest.fixture
def store() -> Iterator[tuple[str, ObjectStore]]:
    with object_store() as running:
        yield running


@pytest.fixture(params=["file", "git", "s3"])
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "file":
        return f"file:{tmp_path}/elsewhere/checkpoints.txt"
    if request.param == "git":
        subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "config.git")], check=True)
        return f"git:file://{tmp_path}/config.git"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    address, _ = request.getfixturevalue("store")
    return f"s3:{address}/audit/clusters/one"


@pytest.fixture
def open_(tmp_path: Path) -> Open:
    """Opens a witness as another process would: nothing is left of the one before but what it was told."""
    count = iter(range(100))
    return lambda name: open_witness(name, tmp_path / f"data-{next(count)}", SystemClock())


def test_it_keeps_every_note_once_and_for_everybody(name: str, open_: Open) -> None:
    notes = [NOTE.format(size) for size in (3, 20, 100, 7)]
    with open_(name) as witness:
        assert asyncio.run(witness.notes()) == []
        for note in (*notes, notes[1]):
            asyncio.run(witness.publish(note, size=int(note.split("\n")[1])))

    with open_(name) as other:
        assert sorted(asyncio.run(other.notes())) == sorted(notes)


def test_two_notes_of_one_size_are_both_kept(name: str, open_: Open) -> None:
    forked = NOTE.replace("root", "other").format(3)
    with open_(name) as one, open_(name) as other:
        asyncio.run(one.publish(NOTE.format(3), size=3))
        asyncio.run(other.publish(forked, size=3))
        asyncio.run(one.publish(NOTE.format(4), size=4))

        assert sorted(asyncio.run(one.notes())) == sorted([NOTE.format(3), NOTE.format(4), forked])


def test_a_rewound_ledger_and_another_one_are_found_by_it(name: str, open_: Open, tmp_path: Path) -> None:
    def notary(folder: str) -> tuple[SqliteLedger, Notary]:
        ledger = SqliteLedger(tmp_path / folder / "ledger.sqlite")
        return ledger, Notary(ledger, KeyFile(tmp_path / "ledger.key"), now=NOW)

    ledger, signs = notary("true")
    for n in range(5):
        ledger.append("note", {"n": n}, at=NOW)
    with open_(name) as witness:
        asyncio.run(Witnessing(ledger, signs, [witness], SystemClock(), period=1).publish())
        notes = asyncio.run(heard([witness]))
    ledger.append("note", {}, at=NOW)
    assert contradictions(ledger, signs, notes) == []
    assert ledger.verify(notes=notes).findings == ()

    other, forger = notary("forged")
    rewound = contradictions(other, forger, notes)
    for n in range(9):
        other.append("note", {"n": -n}, at=NOW)

    assert rewound == [f"{notes[0].keeper}: it has seen 6 records, 1 are left"]
    assert contradictions(other, forger, notes) == [f"{notes[0].keeper}: it has seen other records up to 6"]
    assert [str(finding.tampering) for finding in other.verify(notes=notes).findings] == ["forked"]
    ledger.close()
    other.close()


def test_one_that_is_away_is_told_without_a_traceback_or_a_key(
    open_: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: tuple[str, ObjectStore]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-key-canary")
    (tmp_path / "blocked").write_text("")
    away = [
        f"file:{tmp_path}/blocked/checkpoints",
        f"git:file://{tmp_path}/nowhere.git",
        "s3:http://127.0.0.1:9/audit",
        f"s3:{store[0]}/audit",
    ]
    for name in away:
        with open_(name) as witness, pytest.raises(KildeError) as caught:
            asyncio.run(witness.publish(NOTE.format(1), size=1))
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "file:", "floppy:a", "s3:ftp://x/y", "s3:http://host", "git:-x", "s3:http://u:p@h/b"]
)
def test_what_names_no_witness_is_refused(text: str, open_: Open) -> None:
    with pytest.raises(InvalidInput), open_(text):
        pass


def test_requests_are_signed_as_amazons_own_example_is() -> None:
    """ "Example: GET Object" of AWS' page on Signature Version 4 in the Authorization header."""
    keys = Keys(access="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    signer = Signer(keys=keys, region="us-east-1", service="s3")
    url = "https://examplebucket.s3.amazonaws.com/test.txt"
    headers = signer.headers(1369353600, method="GET", url=url, headers={"Range": "bytes=0-9"})

    assert headers["Authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
