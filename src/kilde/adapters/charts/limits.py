"""What chart repositories may cost: bytes, seconds, files."""

from dataclasses import dataclass

from kilde.core.source.chart_index import INDEX_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartLimits:
    """Bytes and seconds. `link_local`: addresses of the link (169.254.0.0/16, fe80::/10) and of a cloud's metadata may be asked."""

    index_bytes: int = INDEX_BYTES
    download_bytes: int = 8 << 20  # of a file of values
    package_bytes: int = 64 << 20
    unpacked_bytes: int = 128 << 20
    members: int = 20_000  # of one archive
    folder_bytes: int = 2 << 30  # of all archives that are kept
    trees: int = 8  # unpacked, in memory
    seconds: float = 120.0  # of one request, redirects and all
    connect_seconds: float = 15.0
    redirects: int = 5
    tags: int = 100_000
    link_local: bool = False
