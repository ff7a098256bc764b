"""Rotation of the audit log: by size, with a bound for how many old files are kept and how long."""

import errno
import os
import stat
from pathlib import Path

import pytest

from kilde.kubeapi.serving.rotating import RotatingFile, Rotation

BEGIN = 1_767_323_045.678  # 2026-01-02T03:04:05.678Z
DAY = 86_400.0


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.time = BEGIN

    def __call__(self) -> float:
        return self.time


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_put_aside_before_it_would_be_too_large(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(size=10), Clock())
    for line in (b"1234\n", b"5678\n", b"next\n"):
        file.write(line)
    file.close()

    assert names(tmp_path) == ["audit-2026-01-02T03-04-05.678.log", "audit.log"]
    assert (tmp_path / "audit-2026-01-02T03-04-05.678.log").read_bytes() == b"1234\n5678\n"
    assert (tmp_path / "audit.log").read_bytes() == b"next\n"
    assert all(stat.S_IMODE(os.stat(path).st_mode) == 0o600 for path in tmp_path.iterdir())


def test_a_line_that_is_larger_than_the_limit_is_whole_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(size=4), Clock())
    for line in (b"a long line\n", b"b\n"):
        file.write(line)
    file.close()

    contents = {path.read_bytes() for path in tmp_path.iterdir()}
    assert contents == {b"a long line\n", b"b\n"}


def test_two_files_of_one_moment_have_two_names(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(size=2), Clock())
    for line in (b"a\n", b"b\n", b"c\n"):
        file.write(line)
    file.close()

    assert names(tmp_path) == ["audit-2026-01-02T03-04-05.678.log", "audit-2026-01-02T03-04-05.679.log", "audit.log"]


def test_no_more_files_are_kept_than_allowed_and_the_newest_stay(tmp_path: Path) -> None:
    clock = Clock()
    file = RotatingFile(tmp_path / "audit.log", Rotation(size=2, backups=2), clock)
    for line in (b"a\n", b"b\n", b"c\n", b"d\n", b"e\n"):
        file.write(line)
        clock.time += 1
    file.close()

    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"c\n", b"d\n", b"e\n"]


def test_files_that_are_too_old_go_at_the_next_rotation_and_at_the_next_start(tmp_path: Path) -> None:
    clock = Clock()
    file = RotatingFile(tmp_path / "audit.log", Rotation(size=2, age=7), clock)
    file.write(b"a\n")
    file.write(b"b\n")
    clock.time += 8 * DAY
    file.write(b"c\n")
    file.close()
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"b\n", b"c\n"]

    clock.time += 8 * DAY
    RotatingFile(tmp_path / "audit.log", Rotation(age=7), clock).close()
    assert names(tmp_path) == ["audit.log"]


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    for name in ("audit-notes.log", "audit-2020-01-01T00-00-00.000.txt", "other-2020-01-01T00-00-00.000.log"):
        (tmp_path / name).write_text("mine")
    RotatingFile(tmp_path / "audit.log", Rotation(size=1, backups=1, age=1), Clock()).close()

    assert len(names(tmp_path)) == 4


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "audit.log").write_bytes(b"12345678\n")
    file = RotatingFile(tmp_path / "audit.log", Rotation(size=10), Clock())
    file.write(b"9\n")
    file.close()

    assert (tmp_path / "audit.log").read_bytes() == b"9\n"
    assert len(names(tmp_path)) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_to_who_writes(tmp_path: Path) -> None:
    file = RotatingFile(Path("/dev/full"), Rotation(), Clock())
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        file.write(b"lost\n")
    file.close()


def test_without_limits_nothing_is_put_aside(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(), Clock())
    for _ in range(100):
        file.write(b"x" * 1000)
    file.close()

    assert names(tmp_path) == ["audit.log"]
