"""How much time, memory and disk a repository may cost."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds; each is meant to be far above anything honest and far below what would hurt."""

    fetch_seconds: float = 300.0  # what changed since the last fetch, from a server that is busy packing it
    clone_seconds: float = 1800.0  # a large monorepo's whole history over a slow line
    parallel_fetches: int = 32  # repositories that are fetched at once
    command_seconds: float = 60.0  # a local command over one mirror
    read_seconds: float = 30.0  # one object from the store
    blob_bytes: int = 16 * _MIB  # Argo CD stops at 10 MB of manifests an application
    tree_bytes: int = 32 * _MIB  # a folder of some 800,000 files
    output_bytes: int = 64 * _MIB  # what a command may print
    pack_bytes: int = 2048 * _MIB  # one file that a fetch writes
    folder_bytes: int = 20 * 1024 * _MIB  # all mirrors together
    cached_entries: int = 150_000  # names in cached folders, of one mirror; some 300 bytes each
    readers: int = 16  # mirrors with an open reader process
