"""What the C library does with memory that is given back: large pieces go back to the system instead of lying between small ones."""

import ctypes

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_LARGE, _TRIM = 64 << 10, 128 << 10


def give_back_large_pieces() -> None:
    """Fixes glibc's thresholds, which it otherwise raises by itself; on other systems nothing.

    Each TLS connection has a buffer of 256 KiB. With thresholds that float, a server with short-lived watches grew from 90 to 530 MiB in
    half an hour without holding on to anything (docs/benchmarks.md).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_TRIM_THRESHOLD, _TRIM)
