"""The manual pages on secrets do what they say: their console blocks are run in order and what they print is compared."""

import shutil
from pathlib import Path

import pytest

from docs.test_tutorial import play, steps, terminal

PAGE = Path(__file__).parents[2] / "docs" / "secrets.md"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_page_on_plain_text_happens_as_it_is_told(tmp_path: Path) -> None:
    story = steps(PAGE.with_name("plaintext.md").read_text(), own_cluster=False)
    assert len(story) > 8
    with terminal(tmp_path) as one:
        play(one, story)


def test_the_page_on_secrets_happens_as_it_is_told(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    story = steps(PAGE.read_text(), own_cluster=False)
    assert len(story) > 8
    with terminal(tmp_path) as one:
        play(one, story)
