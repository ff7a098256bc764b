"""`kilde ledger checkpoint`, `rotate-key`, `erase` and `prune`: each does what it says, and the ledger stays proved."""

import re
from pathlib import Path

import pytest

from adapters.store import version_1
from cli.command_line import Kilde, Said
from kilde.adapters.store.sqlite_ledger import SqliteLedger

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z
ANN = "Ann <ann@example.org>"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    with SqliteLedger(folder / "ledger.sqlite") as ledger:
        for day in range(5):
            opened = {"application": "argocd/web", "askedBy": "automated", "revision": {"sha": "a" * 40, "author": ANN}}
            number = ledger.append("operation-opened", opened, at=NOW + day * 86400).number
            ledger.append("operation-closed", {"operation": number, "phase": "Succeeded"}, at=NOW + day * 86400)
    return folder


def test_a_checkpoint_is_printed_kept_by_witnesses_and_verified_against(kilde: Kilde, data_dir: Path) -> None:
    witness = f"file:{data_dir}/../elsewhere.txt"
    said = kilde("ledger", "checkpoint", "--data-dir", data_dir, "--witness", witness)

    origin, size, root, blank, signature, end = said.out.split("\n")
    assert (origin[:17], size, blank, end) == ("kilde.dev/ledger/", "11", "", "")
    assert len(root) == 44
    assert signature.startswith(f"— {origin} ")
    assert said.err.startswith("kept by file /")
    assert kilde("ledger", "verify", "--data-dir", data_dir, "--witness", witness).code == 0
    assert kilde("ledger", "verify", "--data-dir", data_dir, "--witness", "floppy:a").code == 3


def test_a_key_is_handed_over_and_a_foreign_one_is_refused(kilde: Kilde, data_dir: Path, tmp_path: Path) -> None:
    first = kilde("ledger", "checkpoint", "--data-dir", data_dir, "--key").out.strip()
    second = kilde("ledger", "rotate-key", "--data-dir", data_dir).out.strip()

    assert kilde("ledger", "checkpoint", "--data-dir", data_dir, "--key").out.split() == [first, second]
    for key in (first, second):
        assert kilde("ledger", "verify", "--data-dir", data_dir, "--key", key).code == 0
    other = tmp_path / "other"
    SqliteLedger(other / "ledger.sqlite").close()
    foreign = kilde("ledger", "checkpoint", "--data-dir", other, "--key").out.strip()
    said = kilde("ledger", "verify", "--data-dir", data_dir, "--key", foreign)
    assert (said.code, "it is another ledger" in said.out) == (1, True)
    assert kilde("ledger", "verify", "--data-dir", data_dir, "--key", "nonsense").code == 2


def test_a_person_is_erased_and_the_ledger_still_verifies(kilde: Kilde, data_dir: Path) -> None:
    note = kilde("ledger", "checkpoint", "--data-dir", data_dir).out
    (data_dir / "kept.txt").write_text(note + "\n" + "=" * 20 + "\n\n")
    said = kilde("ledger", "erase", "--data-dir", data_dir, "--person", "ANN@example.org", "--reason", "request 7")

    assert re.fullmatch(r"record 12: erased person:[0-9a-f]{64}\n", said.out)
    assert said.err == ""
    assert "(erased)" in kilde("ledger", "show", "1", "--data-dir", data_dir).out
    verified = kilde("ledger", "verify", "--data-dir", data_dir, "--witness", f"file:{data_dir}/kept.txt")
    assert verified.out.startswith("intact: 12 records")
    for file in data_dir.glob("ledger.sqlite*"):
        assert b"ann@example.org" not in file.read_bytes(), file
    again = kilde("ledger", "erase", "--data-dir", data_dir, "--person", "ann@example.org", "--reason", "again")
    assert again == Said(
        3,
        "",
        "error: ann@example.org: the ledger knows no such person\nhint: give the whole text, the mail address, or the reference\n",
    )


def test_what_an_erasure_cannot_reach_is_told(kilde: Kilde, tmp_path: Path) -> None:
    version_1.write(tmp_path / "old" / "ledger.sqlite", [{"revision": {"author": ANN}} for _ in range(3)])
    with SqliteLedger(tmp_path / "old" / "ledger.sqlite") as ledger:
        ledger.append("operation-opened", {"revision": {"author": ANN}}, at=NOW)

    said = kilde("ledger", "erase", "--data-dir", tmp_path / "old", "--person", "ann@example.org", "--reason", "r")

    assert said.code == 0
    assert said.err.startswith("warning: 3 records still say it")


def test_old_records_are_given_up(kilde: Kilde, data_dir: Path) -> None:
    said = kilde("ledger", "prune", "--data-dir", data_dir, "--before", "2026-01-03T00:00:00Z", "--reason", "two days")

    assert said == Said(0, "record 12: gave up records 1 to 4\n", "")
    assert kilde("ledger", "verify", "--data-dir", data_dir).out.startswith("intact: 8 records")
    assert [line.split()[0] for line in kilde("ledger", "log", "--data-dir", data_dir).out.splitlines()] == [
        "NUMBER", "9", "7", "5",
    ]  # fmt: skip
    assert kilde("ledger", "prune", "--data-dir", data_dir, "--before", "then", "--reason", "r").code == 2
    nothing = kilde("ledger", "prune", "--data-dir", data_dir, "--before", "2020-01-01T00:00:00Z", "--reason", "r")
    assert nothing.err == "error: there is no record from before then that can be given up\n"
