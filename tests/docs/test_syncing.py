"""The manual page on syncs does what it says: its console blocks are run and what they print is compared."""

import re
from pathlib import Path

import pytest

from docs.test_tutorial import play, steps, terminal

PAGE = (Path(__file__).parents[2] / "docs" / "syncing.md").read_text()

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_the_page_on_syncs_happens_as_it_is_told(tmp_path: Path) -> None:
    story = steps(PAGE, own_cluster=False)
    texts = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(story) > 15
    with terminal(tmp_path) as one:
        for name, text in zip(("shop", "ledger", "app", "settings"), texts, strict=True):
            (tmp_path / "try-kilde" / f"{name}.yaml").write_text(text)
        play(one, story)
