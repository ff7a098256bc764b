"""One process a data directory: the lock is waited for a moment, for whoever is just ending, and no longer."""

import fcntl
import threading
from pathlib import Path

import pytest

from kilde.kubeapi.occupied import Occupied, locked, occupied


def test_a_lock_that_is_let_go_within_a_moment_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as before:  # as a killed process whose files the system is still closing
        fcntl.flock(before, fcntl.LOCK_EX)
        threading.Timer(0.2, before.close).start()
        with locked(path) as ours:
            assert ours
            assert before.closed


def test_a_lock_that_is_kept_is_not(tmp_path: Path) -> None:
    with occupied(tmp_path):
        with locked(tmp_path / "lock") as ours:
            assert not ours
        with pytest.raises(Occupied, match="another cluster uses this data directory"), occupied(tmp_path):
            pytest.fail("two in one folder")
    with occupied(tmp_path):
        pass
