"""Whether a disk can bear etcd: the verdict on how long its fdatasync takes.

The table is that of the field guide "GitOps in the Trenches" (2023), which goes by etcd's own advice: the 99th percentile of a
write of its log has to stay below 10 ms, since a leader that waits longer misses heartbeats
(https://etcd.io/docs/v3.6/op-guide/hardware/).
"""

from typing import NamedTuple

from kilde.core.doctor.durations import Spread, told
from kilde.core.doctor.finding import Finding, Verdict


class _Class(NamedTuple):
    """Disks whose p99 is below `below` seconds."""

    below: float
    verdict: Verdict
    name: str
    says: str


_TABLE = (
    _Class(0.002, Verdict.GOOD, "NVMe-class", "etcd has room to spare"),
    _Class(0.010, Verdict.GOOD, "fit", "etcd is fine on it"),
    _Class(0.020, Verdict.BAD, "SSD-class or busy", "unstable: leader elections and slow writes are to be expected"),
    _Class(0.040, Verdict.BAD, "slow", "unstable: leader elections and slow writes are to be expected"),
    _Class(0.100, Verdict.BAD, "HDD-class", "etcd will lose its leader again and again"),
    _Class(float("inf"), Verdict.BAD, "slower than a hard disk", "etcd will not run on it"),
)
_HINT = "give etcd's data directory a local NVMe disk of its own; network disks, and disks shared with logs or images, are the usual cause"
_IN_MEMORY = frozenset(("tmpfs", "ramfs", "overlay-on-tmpfs"))


def judge_disk(found: Spread, *, where: str, filesystem: str = "") -> Finding:
    """The verdict on synced writes of the size etcd's log has, to the directory `where` on a file system of this type."""
    row = next(row for row in _TABLE if found.p99 < row.below)
    verdict, hint, says = row.verdict, "" if row.verdict is Verdict.GOOD else _HINT, row.says
    if filesystem in _IN_MEMORY:
        verdict, says = (
            Verdict.WATCH,
            f"{filesystem} is memory: this says nothing about a disk, and nothing on it outlives the machine",
        )
        hint = "name a directory on the disk that etcd uses"
    return Finding(
        area="disk",
        check="fsync",
        verdict=verdict,
        says=f"{where}: p99 {told(found.p99)} of {found.count:,} synced writes, {row.name}: {says}",
        hint=hint,
        numbers=found.numbers(),
    )
