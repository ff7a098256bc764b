"""What the kernel says of this machine and this process, read from /proc; None where it does not say."""

import contextlib
import resource
from pathlib import Path


def cpu_stat() -> str | None:
    """/proc/stat."""
    return _read("/proc/stat")


def entropy() -> int | None:
    """The kernel's estimate in bits."""
    text = _read("/proc/sys/kernel/random/entropy_avail")
    return int(text) if text else None


def descriptors() -> tuple[int, int, int]:
    """(soft limit, hard limit, open now) of files for this process; negative limits: none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError):
        return soft, hard, sum(1 for _ in Path("/proc/self/fd").iterdir())
    return soft, hard, 0


def _read(path: str) -> str | None:
    with contextlib.suppress(OSError):
        return Path(path).read_text()
    return None
