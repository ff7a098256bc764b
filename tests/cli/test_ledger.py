"""`kilde ledger` over a ledger as the engine writes it."""

import json
import sqlite3
from pathlib import Path

import pytest

from cli.command_line import Kilde, Said
from kilde.adapters.store.sqlite_ledger import SqliteLedger

NOW = 1_767_225_600.0
SHA = "8ab01c2" + "0" * 33


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A sync that succeeded, a heal, and a sync that still runs."""
    folder = tmp_path / "data"
    with SqliteLedger(folder / "ledger.sqlite") as ledger:
        opened = {
            "application": "argocd/web",
            "project": "default",
            "cause": "operation",
            "askedBy": "ann@desk",
            "source": {"repoURL": "file:///repo", "path": "apps/web", "targetRevision": "main"},
            "renderedDigest": "d1g35t",
            "plan": [
                {
                    "object": "ConfigMap shop/a",
                    "action": "create",
                    "why": "is missing",
                    "resourceVersion": "",
                    "fields": [],
                },
                {
                    "object": "apps/Deployment shop/web",
                    "action": "update",
                    "why": "image differs",
                    "resourceVersion": "7",
                },
            ],
            "revision": {"sha": SHA, "author": "Ann <ann@example.org>", "subject": "Scale", "signature": "N"},
        }
        ledger.append("operation-opened", opened, at=NOW)
        results = [
            {
                "object": "ConfigMap shop/a",
                "verb": "create",
                "outcome": "Synced",
                "message": "configmap/a created",
                "before": "",
                "after": "12",
            },
            {"object": "apps/Deployment shop/web", "verb": "update", "outcome": "Synced", "before": "7", "after": "13"},
        ]
        closed = {
            "operation": 1,
            "application": "argocd/web",
            "phase": "Succeeded",
            "message": "successfully synced (all tasks run)",
            "results": results,
            "unchanged": 3,
        }
        ledger.append("operation-closed", closed, at=NOW + 1)
        ledger.append(
            "operation-opened", {"application": "argocd/api", "cause": "heal", "askedBy": "automated"}, at=NOW + 2
        )
        healed = {
            "operation": 3,
            "phase": "Succeeded",
            "message": "put back",
            "results": results[1:],
            "fields": ["spec.replicas"],
            "changedBy": ["kubectl-edit at 2026-01-01T00:00:01Z"],
        }
        ledger.append("operation-closed", healed, at=NOW + 2.25)
        ledger.append("operation-opened", {**opened, "askedBy": "automated"}, at=NOW + 3)
    return folder


def test_the_log_is_newest_first(kilde: Kilde, data_dir: Path) -> None:
    assert kilde("ledger", "log", "--data-dir", data_dir) == Said(
        0,
        "NUMBER   TIME                       APPLICATION   CAUSE       ASKED BY    REVISION   PHASE       CHANGES   MESSAGE\n"
        "5        2026-01-01T00:00:03.000Z   argocd/web    operation   automated   8ab01c2    Running     0\n"
        "3        2026-01-01T00:00:02.000Z   argocd/api    heal        automated              Succeeded   1         put back\n"
        "1        2026-01-01T00:00:00.000Z   argocd/web    operation   ann@desk    8ab01c2    Succeeded   2"
        "         successfully synced (all tasks run)\n",
        "",
    )


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ((), [5, 3, 1]),
        (("--app", "web"), [5, 1]),
        (("--app", "argocd/api"), [3]),
        (("--limit", "1"), [5]),
        (("--app", "x"), []),
    ],
)
def test_the_log_as_json_can_be_narrowed(
    kilde: Kilde, data_dir: Path, options: tuple[str, ...], numbers: list[int]
) -> None:
    said = kilde("ledger", "log", "--data-dir", data_dir, "-o", "json", *options)

    assert [one["number"] for one in json.loads(said.out)] == numbers


def test_an_operation_is_told_from_commit_to_each_object(kilde: Kilde, data_dir: Path) -> None:
    assert kilde("ledger", "show", "1", "--data-dir", data_dir) == Said(
        0,
        f"""\
Operation:    1
Application:  argocd/web
Cause:        operation
Asked by:     ann@desk
Source:       file:///repo apps/web main
Commit:       {SHA}
Author:       Ann <ann@example.org>
Subject:      Scale
Signature:    N
Rendered:     d1g35t
Opened:       2026-01-01T00:00:00.000Z
Closed:       Succeeded at 2026-01-01T00:00:01.000Z
Message:      successfully synced (all tasks run)
Unchanged:    3

PLANNED                    ACTION   WHY
ConfigMap shop/a           create   is missing
apps/Deployment shop/web   update   image differs

OBJECT                     VERB     OUTCOME   BEFORE   AFTER   MESSAGE
ConfigMap shop/a           create   Synced             12      configmap/a created
apps/Deployment shop/web   update   Synced    7        13
""",
        "",
    )


def test_a_heal_says_which_field_and_who(kilde: Kilde, data_dir: Path) -> None:
    said = kilde("ledger", "show", "3", "--data-dir", data_dir)

    assert "Fields:       spec.replicas\nChanged by:   kubectl-edit at 2026-01-01T00:00:01Z\n" in said.out


def test_a_record_that_opens_nothing_is_told_as_such(kilde: Kilde, data_dir: Path) -> None:
    assert kilde("ledger", "show", "2", "--data-dir", data_dir) == Said(
        3, "", "error: record 2 opens no operation\nhint: kilde ledger log lists those that do\n"
    )


def test_an_intact_ledger_verifies_also_against_the_head_it_printed(kilde: Kilde, data_dir: Path) -> None:
    first = kilde("ledger", "verify", "--data-dir", data_dir)
    head = first.out.split()[-1]
    with SqliteLedger(data_dir / "ledger.sqlite") as ledger:
        ledger.append("note", {}, at=NOW)

    assert first == Said(0, f"intact: 5 records, head {head}\n", "")
    assert kilde("ledger", "verify", "--data-dir", data_dir, "--head", head).code == 0


def test_a_ledger_that_was_edited_names_the_records(kilde: Kilde, data_dir: Path) -> None:
    connection = sqlite3.connect(data_dir / "ledger.sqlite")
    connection.execute("DROP TRIGGER records_keep")
    connection.execute("DROP TRIGGER records_stay")
    connection.execute("UPDATE records SET body = replace(body, 'Scale', 'Stale') WHERE number = 1")
    connection.execute("DELETE FROM records WHERE number = 4")
    connection.commit()
    connection.close()

    assert kilde("ledger", "verify", "--data-dir", data_dir) == Said(
        1,
        "not intact: 2 findings\n"
        "RECORD   WAS       BECAUSE\n"
        "1        altered   what it says does not give its hash\n"
        "4        removed   record 4 is missing\n",
        "",
    )


def test_a_folder_without_a_ledger_is_told(kilde: Kilde, tmp_path: Path) -> None:
    assert kilde("ledger", "log", "--data-dir", tmp_path) == Said(
        3, "", f"error: {tmp_path}/ledger.sqlite: there is no ledger\nhint: name the data directory of kilde up\n"
    )
