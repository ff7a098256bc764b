"""docs/testing.md does what it says, for somebody who has only the wheel: a fresh folder, a fresh environment, pip, pytest."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.console import is_as_shown, steps

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text()
_FILE = re.compile(r"^```python (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE = 240.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This Kilde, built as it would be published."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_from_pip_install_to_a_passing_test_of_ones_own(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "constraints").write_text(f"kilde=={wheel.name.split('-')[1]}\n")  # ours, whatever an index has
    written: set[str] = set()
    shell = ["set -u", f"cd {place}"]
    env = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_CONSTRAINT": str(tmp_path / "constraints"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **{f"GIT_{who}_{what}": "ann@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **{name: text for name, text in os.environ.items() if name.startswith(("PIP_INDEX", "PIP_TRUSTED", "SSL_"))},
    }
    for step in steps(PAGE, own_cluster=False):
        for name, text in _FILE.findall(PAGE[: PAGE.index(step.command)]):
            if name not in written:
                written.add(name)
                (place / name).write_text(text)
        script = "\n".join([*shell, step.command])
        done = subprocess.run(
            ["bash", "-c", script],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        shown = "\n".join(step.shown)
        assert done.returncode == 0, f"$ {step.command}\n{done.stdout}ended with {done.returncode}"
        assert is_as_shown(done.stdout, step.shown), f"$ {step.command}\n{done.stdout}--- but the page shows\n{shown}"
        if " activate" in f" {step.command}".replace("/", " ") or step.command.startswith("export "):
            shell.append(step.command.split("&& ")[-1])
    assert written == {name for name, _ in _FILE.findall(PAGE)} - {"conftest.py"} | ({"conftest.py"} & written)
