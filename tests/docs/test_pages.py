"""The README and the manual pages do what they say, each on a cluster of its own; those on syncs follow each other in test_syncing.py."""

import shutil
from pathlib import Path

import pytest

from cli.test_export import live
from docs.console import play, steps, terminal

DOCS = Path(__file__).parents[2] / "docs"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("page", "commands", "ends"),
    [
        ("../README", 9, ()),
        ("applicationsets", 1, ()),
        ("dependencies", 28, ()),
        ("doctor", 9, ()),
        ("edit", 21, ()),
        ("guard", 11, ()),
        ("migrating", 7, (3,)),  # kilde up, once all is handed back
        ("plaintext", 9, ()),
        ("plan", 21, ()),
        ("projects", 9, ()),
        ("safety", 11, ()),
    ],
)
def test_a_page_happens_as_it_is_told(page: str, commands: int, ends: tuple[int, ...], tmp_path: Path) -> None:
    text = (DOCS / f"{page}.md").read_text()
    story = steps(text, own_cluster=False)
    assert len(story) >= commands
    with terminal(tmp_path, ends=ends) as one:
        one.save(text)
        play(one, story)


def test_the_page_on_secrets_happens_as_it_is_told(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    story = steps((DOCS / "secrets.md").read_text(), own_cluster=False)
    assert len(story) > 8
    with terminal(tmp_path) as one:
        play(one, story)


def test_the_page_for_auditors_happens_over_a_ledger_that_has_lived(tmp_path: Path) -> None:
    story = steps((DOCS / "audit.md").read_text(), own_cluster=False)
    assert len(story) >= 10
    with terminal(tmp_path) as one:
        live(tmp_path / "home" / ".local" / "state" / "kilde", tmp_path / "config")
        play(one, story)
