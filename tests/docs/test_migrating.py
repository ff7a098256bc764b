"""The manual page on moving in does what it says: its console blocks are run and what they print is compared."""

import re
from pathlib import Path

import pytest

from docs.test_tutorial import play, steps, terminal

PAGE = Path(__file__).parents[2] / "docs" / "migrating.md"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_page_on_moving_happens_as_it_is_told(tmp_path: Path) -> None:
    story = steps(PAGE.read_text(), own_cluster=False)
    manifests = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(story) > 6
    with terminal(tmp_path, ends=(3,)) as one:  # kilde up, once all is handed back
        for name, text in zip(("argocd", "flux-kinds", "flux"), manifests, strict=True):
            (tmp_path / "try-kilde" / f"{name}.yaml").write_text(text)
        play(one, story)
