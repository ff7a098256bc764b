"""Synced writes as etcd makes them: 2,300 bytes appended to a preallocated file, then fdatasync, one after the other.

Size and way are those of etcd's advice for fio (`--rw=write --ioengine=sync --fdatasync=1 --bs=2300`); as there, and as in
etcd's own metric, only the fdatasync counts.
"""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kilde.core.basics.errors import KildeError

SIZE = 2300  # bytes a write
_FILE = 22 << 20
_NEEDED = 64 << 20  # bytes that have to be free


def measure(
    folder: Path, *, syncs: int, seconds: float, progress: Callable[[float], None] = lambda share: None
) -> list[float]:
    """How long each fdatasync took, in seconds, until there are so many or so much time has passed. Raises KildeError.

    The file is a temporary one in `folder` and is gone afterwards. `progress` gets the share that is done.
    """
    about = str(folder)
    _fit(folder)
    durations: list[float] = []
    block = os.urandom(SIZE)
    try:
        with tempfile.TemporaryFile(prefix=".kilde-doctor-", dir=folder, buffering=0) as opened:
            file, place = opened.fileno(), 0
            os.posix_fallocate(file, 0, _FILE)
            os.fdatasync(file)
            begun = time.monotonic()
            while len(durations) < syncs and (passed := time.monotonic() - begun) < seconds:
                os.pwrite(file, block, place)
                before = time.perf_counter()
                os.fdatasync(file)
                durations.append(time.perf_counter() - before)
                place = (place + SIZE) % (_FILE - SIZE)
                if len(durations) % 64 == 0:
                    progress(max(len(durations) / syncs, passed / seconds))
    except OSError as error:
        hint = "free some space" if error.errno == errno.ENOSPC else ""
        raise KildeError(f"cannot be measured: {error.strerror}", about=about, hint=hint) from error
    return durations


def _fit(folder: Path) -> None:
    about = str(folder)
    if not folder.is_dir():
        raise KildeError("is not a directory", about=about, hint="name the directory that etcd keeps its data in")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise KildeError("nothing can be written there", about=about, hint="run it as the user etcd runs as")
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize < _NEEDED:
        raise KildeError("less than 64 MiB are free there", about=about, hint="free some space")


def filesystem(folder: Path) -> str:
    """The type of the file system that a directory is on, "" where it cannot be told (proc_pid_mountinfo(5))."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        device = folder.stat().st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            if before.split()[2] == wanted:
                return after.split()[0]
    return ""
