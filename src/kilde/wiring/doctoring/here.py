"""What the doctor looks at by itself: this machine, a disk, and pages of metrics that somebody serves."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kilde.adapters.machine import disk, kernel
from kilde.adapters.metrics_page import read_page
from kilde.core.doctor import etcd, machine, own, receiver
from kilde.core.doctor.disk import judge_disk
from kilde.core.doctor.durations import spread
from kilde.core.doctor.exposition import Sample, samples
from kilde.core.doctor.finding import Finding

_LOOK = 1.0  # seconds between two readings of what only counts up


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where pages of metrics are; "" is none."""

    etcd: str = ""
    etcd_ca: Path | None = None
    etcd_certificate: Path | None = None
    etcd_key: Path | None = None
    controller: str = ""

    async def read_etcd(self) -> list[Sample]:
        """etcd's samples. PageError."""
        text = await read_page(self.etcd, ca=self.etcd_ca, certificate=self.etcd_certificate, key=self.etcd_key)
        return samples(text, etcd.METRICS)


def look_at_disk(
    folder: Path, *, syncs: int, seconds: float, progress: Callable[[float], None] = lambda share: None
) -> tuple[Finding, list[float]]:
    """The verdict on the disk under a directory, and each duration it rests on. KildeError."""
    durations = disk.measure(folder, syncs=syncs, seconds=seconds, progress=progress)
    return judge_disk(spread(durations), where=str(folder), filesystem=disk.filesystem(folder)), durations


async def look_at_machine() -> list[Finding]:
    """CPU steal over a second, descriptors, entropy."""
    findings, before = [], kernel.cpu_stat()
    await asyncio.sleep(_LOOK)
    after = kernel.cpu_stat()
    if before and after:
        findings.append(machine.judge_steal(machine.cpu_times(before), machine.cpu_times(after)))
    findings.append(machine.judge_descriptors(*kernel.descriptors()))
    bits = kernel.entropy()
    return findings if bits is None else [*findings, machine.judge_entropy(bits)]


async def look_at_etcd(pages: Pages, *, over: float = 0.0) -> list[Finding]:
    """etcd's own metrics since its start, or over so many seconds. PageError."""
    before = await pages.read_etcd() if over else []
    await asyncio.sleep(over)
    return etcd.judge_etcd(await pages.read_etcd(), before)


async def look_at_controller(url: str) -> list[Finding]:
    """The share of a running `kilde up` in the load, and the webhooks it got, by its /metrics. PageError."""
    before, begun = samples(await read_page(url), own.METRICS), time.monotonic()
    await asyncio.sleep(_LOOK * 5)
    page = await read_page(url)
    found = own.judge_own(samples(page, own.METRICS), before, time.monotonic() - begun)
    return found + receiver.judge_deliveries(samples(page, receiver.METRICS), now=time.time())
