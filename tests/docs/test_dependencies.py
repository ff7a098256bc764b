"""The manual page on dependencies does what it says: its console blocks are run and what they print is compared."""

import re
from pathlib import Path

import pytest

from docs.test_tutorial import play, steps, terminal

PAGE = (Path(__file__).parents[2] / "docs" / "dependencies.md").read_text()

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_the_page_on_dependencies_happens_as_it_is_told(tmp_path: Path) -> None:
    story = steps(PAGE, own_cluster=False)
    [_, manifest, _] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(story) > 15
    with terminal(tmp_path) as one:
        (tmp_path / "try-kilde" / "app.yaml").write_text(manifest)
        play(one, story)
