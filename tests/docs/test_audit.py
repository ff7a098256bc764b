"""The page for auditors does what it says: its console blocks are run in order over a ledger that has lived."""

from pathlib import Path

import pytest

from cli.test_export import live
from docs.test_tutorial import play, steps, terminal

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_page_for_auditors_happens_as_it_is_told(tmp_path: Path) -> None:
    story = steps(PAGE.read_text(), own_cluster=False)
    assert len(story) >= 10
    with terminal(tmp_path) as one:
        live(tmp_path / "home" / ".local" / "state" / "kilde", tmp_path / "config")
        play(one, story)
