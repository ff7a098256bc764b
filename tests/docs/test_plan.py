"""The manual page of `kilde plan` and `kilde apply` does what it says: its console blocks are run and what they print is compared."""

from pathlib import Path

import pytest

from docs.test_tutorial import play, steps, terminal

PAGE = Path(__file__).parents[2] / "docs" / "plan.md"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_page_on_plans_happens_as_it_is_told(tmp_path: Path) -> None:
    story = steps(PAGE.read_text(), own_cluster=False)
    assert len(story) > 20
    with terminal(tmp_path) as one:
        play(one, story)
