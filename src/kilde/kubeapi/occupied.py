"""Occupied: one server a data directory, held by a lock that ends with its process, and a note of who it is."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kilde.core.basics.errors import KildeError
from kilde.kubeapi.certificates import write_private

_LOCK, _NOTE = "lock", "running.json"
_PATIENCE = 1.0  # seconds


class Occupied(KildeError):
    """Another server has the data directory."""

    code = "data-directory-occupied"


class Running(msgspec.Struct, frozen=True):
    """A server that runs: its process, where it listens, since when (seconds since the epoch), and whether it keeps nothing."""

    pid: int
    server: str
    since: float
    ephemeral: bool = False


@contextlib.contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Holds the folder. Raises Occupied."""
    with locked(folder / _LOCK) as ours:
        if not ours:
            hint = "stop it, or give another --data-dir"
            raise Occupied("another cluster uses this data directory", about=str(folder), hint=hint)
        yield


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Yields whether the lock is ours, and holds it until the block ends.

    Waits a moment for another process: one that was killed lets go of its files one after the other, and a start may come between.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _taken(file, time.monotonic() + _PATIENCE)
    finally:
        os.close(file)


def _taken(file: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PATIENCE / 50)
        else:
            return True


@contextlib.contextmanager
def noted(folder: Path, running: Running) -> Iterator[None]:
    """Tells others who serves here, as long as it does."""
    note = folder / _NOTE
    write_private(note, msgspec.json.encode(running))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def is_held(folder: Path) -> bool:
    """Whether a server has the folder, be it that it only begins or that it is about to end."""
    try:
        file = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def running_in(folder: Path) -> Running | None:
    """Who serves out of a folder; None if nobody does, whatever an ended process has left there."""
    if not is_held(folder):
        return None
    try:
        return msgspec.json.decode((folder / _NOTE).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None  # it has only begun, or is about to end
