"""No core dumps of processes that hold private keys and plain values: a core file would keep them on disk."""

import resource


def forbid_core_dumps() -> None:
    """For this process and its children. A core_pattern that is a pipe does not ask for the limit: see docs/security.md."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
