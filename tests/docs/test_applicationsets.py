"""The manual page of ApplicationSets does what it says: its file is written, its console block is run, what it prints is compared."""

import re
from pathlib import Path

import pytest

from docs.test_tutorial import play, steps, terminal

PAGE = (Path(__file__).parents[2] / "docs" / "applicationsets.md").read_text()
_FILE = re.compile(r"^```yaml (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_the_page_on_application_sets_happens_as_it_is_told(tmp_path: Path) -> None:
    files = _FILE.findall(PAGE)
    story = steps(PAGE, own_cluster=False)
    assert (len(files), len(story)) == (1, 1)
    with terminal(tmp_path) as one:
        for name, text in files:
            assert one.run(f"cat > {name} <<'EOF'\n{text}EOF") == ("", 0)
        play(one, story)
