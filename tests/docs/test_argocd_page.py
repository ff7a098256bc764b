"""The page that says what shows each area of Argo CD names tests that are there, and that run on both clusters where it says so."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "argocd.md").read_text()
BOTH = re.compile(
    r"\bstage: Stage\b|\"embedded\", pytest\.param\(\"real\", marks=pytest\.mark\.live\)|\b(?:argo|flux|trial|shop): \w+"
)


def rows() -> list[list[str]]:
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ")]
    return [row for row in cells[1:] if any(row[1:])]


def test_every_area_is_shown_on_both_clusters() -> None:
    assert len(rows()) > 20
    for area, both, _, _ in rows():
        files = re.findall(r"`([\w/]+\.py)`", both)
        assert files, area
        for file in files:
            assert BOTH.search((TESTS / file).read_text()), f"{file} does not run on both clusters"


def test_every_test_that_is_named_is_there() -> None:
    named = {name for row in rows() for cell in row[1:] for name in re.findall(r"`([\w/]+(?:\.py|/))`", cell)}
    assert len(named) > 40
    assert sorted(name for name in named if not (TESTS / name.removeprefix("tests/")).exists()) == []
