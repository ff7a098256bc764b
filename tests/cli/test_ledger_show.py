"""What `kilde ledger show` answers: to people, to machines, and as a page."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import Kilde, Said
from kilde.adapters.store.sqlite_ledger import SqliteLedger

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z
WEB, CONFIG = "apps/Deployment shop/web", "ConfigMap shop/settings"


def result(name: str, verb: str, **more: str) -> dict[str, str]:
    return {"object": name, "verb": verb, "outcome": "Pruned" if verb == "prune" else "Synced", **more}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Two commits, one reviewed; a hand in between; a deletion."""
    folder = tmp_path / "data"

    def operation(ledger: SqliteLedger, at: float, opened: dict[str, Any], closed: dict[str, Any]) -> None:
        common = {"application": "argocd/web", "askedBy": "automated", "cause": "operation"}
        number = ledger.append("operation-opened", {**common, **opened}, at=NOW + at).number
        ledger.append("operation-closed", {"operation": number, "phase": "Succeeded", **closed}, at=NOW + at + 1)

    with SqliteLedger(folder / "ledger.sqlite") as ledger:
        one = {
            "sha": "a" * 40,
            "author": "Ann <ann@example.org>",
            "subject": "Begin",
            "signature": "G",
            "signer": "ann-key",
        }
        two = {
            **one,
            "sha": "b" * 40,
            "subject": "=1+1 <script>alert(1)</script>",
            "reviewers": ["Bob <bob@example.org>"],
        }
        operation(ledger, 0, {"revision": one}, {"results": [result(WEB, "create"), result(CONFIG, "create")]})
        hand = {"fields": ["spec.replicas"], "changedBy": ["kubectl-edit at 2026-01-01T00:01:00Z"]}
        operation(ledger, 60, {"cause": f"self-heal of {'a' * 40}"}, {"results": [result(WEB, "update")], **hand})
        operation(ledger, 120, {"revision": two}, {"results": [result(WEB, "update"), result(CONFIG, "prune")]})
    return folder


def listed(said: Said) -> list[list[str]]:
    return [[event["at"][14:19], event["object"], event["verb"]] for event in json.loads(said.out)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            (),
            [["00:01", WEB, "create"], ["00:01", CONFIG, "create"], ["01:01", WEB, "update"], ["02:01", WEB, "update"],
             ["02:01", CONFIG, "prune"]],
        ),
        (("--object", "deployment web"), [["00:01", WEB, "create"], ["01:01", WEB, "update"], ["02:01", WEB, "update"]]),
        (("--object", WEB, "--from", "2026-01-01T00:01:00Z", "--to", "2026-01-01T00:02:00Z"), [["01:01", WEB, "update"]]),
        (("--by-hand",), [["01:01", WEB, "update"]]),
        (("--deletions",), [["02:01", CONFIG, "prune"]]),
        (("--commit", "bbbb"), [["02:01", WEB, "update"], ["02:01", CONFIG, "prune"]]),
        (("--app", "other"), []),
        (("--object", "we"), []),
        (("--cluster", "https://kubernetes.default.svc", "--deletions"), [["02:01", CONFIG, "prune"]]),
    ],
)  # fmt: skip
def test_who_changed_what_and_when(
    kilde: Kilde, data_dir: Path, options: tuple[str, ...], expected: list[list[str]]
) -> None:
    assert listed(kilde("ledger", "show", "--data-dir", data_dir, "-o", "json", *options)) == expected


def test_a_change_is_told_with_all_that_caused_it(kilde: Kilde, data_dir: Path) -> None:
    said = kilde("ledger", "show", "--data-dir", data_dir, "--object", "web")

    assert said.code == 0
    cells = [[cell.strip() for cell in re.split(" {3,}", line)] for line in said.out.splitlines()]
    ann, bob, web = "Ann <ann@example.org>", "Bob <bob@example.org>", "argocd/web"
    hand = "spec.replicas by kubectl-edit at 2026-01-01T00:01:00Z"
    assert cells == [
        ["TIME", "OBJECT", "DONE", "OUTCOME", "APPLICATION", "COMMIT", "AUTHOR", "REVIEWED BY", "BY HAND"],
        ["2026-01-01T00:00:01.000Z", WEB, "create", "Synced", web, "aaaaaaa", ann],
        ["2026-01-01T00:01:01.000Z", WEB, "update", "Synced", web, hand],
        ["2026-01-01T00:02:01.000Z", WEB, "update", "Synced", web, "bbbbbbb", ann, bob],
    ]


def test_csv_is_read_by_a_spreadsheet_and_runs_nothing_in_it(kilde: Kilde, data_dir: Path) -> None:
    said = kilde("ledger", "show", "--data-dir", data_dir, "-o", "csv")

    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["object"] for row in rows] == [WEB, CONFIG, WEB, WEB, CONFIG]
    assert rows[3]["subject"] == "'=1+1 <script>alert(1)</script>"
    assert (rows[3]["reviewers"], rows[3]["signature"], rows[3]["signer"]) == ("Bob <bob@example.org>", "G", "ann-key")


def test_oscal_has_one_observation_a_change_and_the_same_again(kilde: Kilde, data_dir: Path) -> None:
    said = kilde("ledger", "show", "--data-dir", data_dir, "-o", "oscal")

    results = json.loads(said.out)["assessment-results"]
    assert results["metadata"]["oscal-version"] == "1.1.2"
    [found] = results["results"]
    assert [one["title"] for one in found["observations"]] == [
        f"{WEB}: create", f"{CONFIG}: create", f"{WEB}: update", f"{WEB}: update", f"{CONFIG}: prune",
    ]  # fmt: skip
    assert len({one["uuid"] for one in found["observations"]}) == 5
    assert (found["start"], found["end"]) == ("2026-01-01T00:00:01.000Z", "2026-01-01T00:02:01.000Z")
    assert kilde("ledger", "show", "--data-dir", data_dir, "-o", "oscal") == said


class Page(HTMLParser):
    """Texts, titles of the marks on the timeline, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_runs_nothing(kilde: Kilde, data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert kilde("ledger", "show", "--data-dir", data_dir, "--html", path) == Said(0, f"wrote {path}: 5 changes\n", "")

    page = Page()
    page.feed(path.read_text())
    assert "script" not in page.tags
    assert page.tags.count("circle") == 5
    assert not [name for name, _ in page.attributes if name in ("src", "href") or name.startswith("on")]
    for expected in (
        "=1+1 <script>alert(1)</script>",
        "spec.replicas",
        "Done by hand, and put back (1)",
        "Deleted (1)",
        "Everything (5)",
        "Bob <bob@example.org>",
    ):
        assert expected in page.text
    assert kilde("ledger", "show", "--data-dir", data_dir, "--html", path, "--app", "none").code == 0
    assert "Nothing was changed in this time." in path.read_text()


def test_what_ran_is_told_even_where_it_cannot_be_rebuilt(kilde: Kilde, data_dir: Path) -> None:
    said = kilde("ledger", "show", "--data-dir", data_dir, "--running-at", "2026-01-01T00:01:30Z", "-o", "json")

    [one] = json.loads(said.out)
    assert (one["application"], one["commit"], one["exact"]) == ("argocd/web", "a" * 40, False)
    assert one["problem"].startswith("an older version wrote this record")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--from", "yesterday"), "must be RFC 3339"),
        (("--manifests", "x"), "--manifests needs --running-at"),
        (("--running-at", "2026-01-01T00:01:30Z", "-o", "csv"), "--running-at is not told as csv"),
    ],
)
def test_what_makes_no_sense_is_refused(kilde: Kilde, data_dir: Path, options: tuple[str, ...], error: str) -> None:
    said = kilde("ledger", "show", "--data-dir", data_dir, *options)

    assert said.code == 2
    assert error in said.err
