"""Synced writes to a real disk, one made slow on purpose, and what cannot be measured."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kilde.adapters.machine import disk
from kilde.core.basics.errors import KildeError

HERE = Path(__file__).parent


def test_it_measures_and_leaves_nothing(tmp_path: Path) -> None:
    told: list[float] = []
    found = disk.measure(tmp_path, syncs=200, seconds=60, progress=told.append)
    assert len(found) == 200
    assert all(each > 0 for each in found)
    assert told == sorted(told)
    assert told
    assert list(tmp_path.iterdir()) == []


def test_it_ends_in_time(tmp_path: Path) -> None:
    assert disk.measure(tmp_path, syncs=10**9, seconds=0.05)


_SLOW = ("HDD-class", "slower than a hard disk")  # a loaded machine adds to the delay, and the verdict is of the sum


@pytest.fixture(scope="module")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("preload") / "slow.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, HERE / "slow_fdatasync.c"], check=True)
    return library


@pytest.mark.parametrize(("delay", "names"), [(15, ("unstable", *_SLOW)), (60, _SLOW)])
def test_the_verdict_flips_on_a_disk_made_slow(
    preload: Path, tmp_path: Path, delay: int, names: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "kilde", "doctor", "disk", str(tmp_path), "--syncs", "100", "--seconds", "2s"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LD_PRELOAD": str(preload)}
    done = subprocess.run(
        command,
        env={**environment, "KILDE_TEST_DELAY_MS": str(delay)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert any(name in done.stdout for name in names), done.stdout
    assert "\nbad     disk fsync" in done.stdout


def test_what_cannot_be_measured_is_told_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, says in (
        (tmp_path / "file", "is not a directory"),
        (tmp_path / "nowhere", "is not a directory"),
        (Path("/proc"), ""),
    ):
        with pytest.raises(KildeError) as caught:
            disk.measure(folder, syncs=1, seconds=1)
        assert str(folder) in str(caught.value)
        assert says in str(caught.value)


def test_the_file_system_is_named() -> None:
    assert disk.filesystem(Path("/proc")) == "proc"
    assert disk.filesystem(Path("/nowhere")) == ""
