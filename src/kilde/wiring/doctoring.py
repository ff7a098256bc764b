"""What `kilde doctor` looks at, put together: this machine, a disk, etcd, an API server, a data directory, a running controller."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import kubeconfig
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.machine import disk, kernel
from kilde.adapters.metrics_page import read_page
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.basics.errors import ClusterError, KildeError, LedgerError
from kilde.core.doctor import apiserver, contexts, etcd, machine, own
from kilde.core.doctor.definitions import judge_definitions
from kilde.core.doctor.disk import judge_disk
from kilde.core.doctor.durations import spread
from kilde.core.doctor.exposition import Sample, samples
from kilde.core.doctor.finding import Finding, Verdict
from kilde.core.doctor.repositories import judge_credentials
from kilde.core.doctor.sealing import judge_keys
from kilde.crds import definitions
from kilde.engine.fleet import CONFIG_MAPS, CREDENTIALS_SELECTOR, SECRETS
from kilde.ports.cluster import Resource
from kilde.wiring.cluster import open_cluster

_ROUND_TRIPS = 40
_LOOK = 1.0  # seconds between two readings of what only counts up
_DEFINITION = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_KEYS_SELECTOR = "sealedsecrets.bitnami.com/sealed-secrets-key"


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
    """The share of a running `kilde up` in the load, by its /metrics. PageError."""
    before, begun = samples(await read_page(url), own.METRICS), time.monotonic()
    await asyncio.sleep(_LOOK * 5)
    now = samples(await read_page(url), own.METRICS)
    return own.judge_own(now, before, time.monotonic() - begun)


@contextlib.asynccontextmanager
async def _opened(file: Path | None, context: str) -> AsyncIterator[KubeCluster]:
    cluster = open_cluster(file, context=context)
    try:
        yield cluster
    finally:
        await cluster.close()


async def look_at_cluster(file: Path | None, *, context: str, namespace: str) -> list[Finding]:
    """How the API server answers, what its metrics say, and whether what Kilde needs there is in order."""
    try:
        async with _opened(file, context) as cluster:
            findings = await _round_trips(cluster)
            for look in (_metrics, _definitions, _credentials, _sealing_keys):
                try:
                    findings += await look(cluster, namespace)
                except ClusterError as error:
                    check = look.__name__.strip("_").replace("_", "-")
                    findings.append(Finding(area="cluster", check=check, verdict=Verdict.UNKNOWN, says=str(error)))
            return findings
    except KildeError as error:
        hint = error.hint or "kilde doctor goes by --kubeconfig, or by --data-dir of a running kilde up"
        return [Finding(area="api", check="reachable", verdict=Verdict.BAD, says=str(error), hint=hint)]


async def _round_trips(cluster: KubeCluster) -> list[Finding]:
    version = await cluster.version()
    durations, offsets = [], []
    for _ in range(_ROUND_TRIPS):
        sent, begun = time.time(), time.perf_counter()
        date = await cluster.date()
        durations.append(time.perf_counter() - begun)
        with contextlib.suppress(ValueError, TypeError):
            # the header is cut to whole seconds: the server's time is half a second later on average
            offsets.append(parsedate_to_datetime(date).timestamp() + 0.5 - (sent + durations[-1] / 2))
    good = Finding(area="api", check="version", verdict=Verdict.GOOD, says=f"Kubernetes {version}")
    found = [good, apiserver.judge_round_trips(spread(durations))]
    return [*found, machine.judge_skew(offsets)] if offsets else found


async def _metrics(cluster: KubeCluster, namespace: str) -> list[Finding]:
    del namespace
    page = await cluster.metrics()
    if page is None:
        hint = "kubectl create clusterrole metrics --verb=get --non-resource-url=/metrics, and bind it"
        return [
            Finding(
                area="api", check="metrics", verdict=Verdict.UNKNOWN, says="this user may not read /metrics", hint=hint
            )
        ]
    return apiserver.judge_apiserver(samples(page, apiserver.METRICS))


async def _definitions(cluster: KubeCluster, namespace: str) -> list[Finding]:
    del namespace
    installed = {}
    for wanted in definitions():
        raw = await cluster.get(_DEFINITION, "", wanted["metadata"]["name"])
        if raw is not None:
            installed[wanted["metadata"]["name"]] = msgspec.json.decode(raw)
    return judge_definitions(definitions(), installed)


async def _credentials(cluster: KubeCluster, namespace: str) -> list[Finding]:
    secrets = [
        msgspec.json.decode(raw) for raw in await cluster.list(SECRETS, namespace, label_selector=CREDENTIALS_SELECTOR)
    ]
    raw = await cluster.get(CONFIG_MAPS, namespace, "argocd-ssh-known-hosts-cm")
    return judge_credentials(secrets, known_hosts=msgspec.json.decode(raw) if raw else None)


async def _sealing_keys(cluster: KubeCluster, namespace: str) -> list[Finding]:
    del namespace
    found = [msgspec.json.decode(raw) for raw in await cluster.list(SECRETS, label_selector=_KEYS_SELECTOR)]
    return judge_keys(found, now=time.time())


def look_at_data(folder: Path) -> list[Finding]:
    """The ledger of a data directory: whole, or where it is not."""
    file = folder / "ledger.sqlite"
    if not file.exists():
        return []
    try:
        with SqliteLedger.open_to_read(file) as ledger:
            found = ledger.verify()
    except LedgerError as error:
        return [Finding(area="ledger", check="chain", verdict=Verdict.BAD, says=str(error), hint=error.hint)]
    if not found.intact:
        says = f"not intact: {found.findings[0].what}"
        return [
            Finding(
                area="ledger",
                check="chain",
                verdict=Verdict.BAD,
                says=says,
                hint="kilde ledger verify names each record",
            )
        ]
    says, numbers = f"{found.records:,} records, intact", {"records": float(found.records)}
    return [Finding(area="ledger", check="chain", verdict=Verdict.GOOD, says=says, numbers=numbers)]


async def look_at_contexts(files: Sequence[Path], *, production: str) -> list[Finding]:
    """Every context of these kubeconfigs: may its user delete namespaces? One finding each, production first."""
    names, current = kubeconfig.contexts(files)
    found = await asyncio.gather(*(_context(files, name, current=name == current) for name in names))
    judged = [(contexts.is_production(each, production), each) for each in found]
    modes = [finding for file in files if file.exists() for finding in _mode(file)]
    ordered = sorted(judged, key=lambda pair: (not pair[0], pair[1].name))
    return [*modes, *(contexts.judge_context(each, production=dangerous) for dangerous, each in ordered)]


def _mode(file: Path) -> Iterator[Finding]:
    found = contexts.judge_file(str(file), file.stat().st_mode)
    if found is not None:
        yield found


async def _context(files: Sequence[Path], name: str, *, current: bool) -> contexts.Context:
    clock, server, insecure = SystemClock(), "", False
    try:
        access = kubeconfig.load(files, clock, context=name)
        server, insecure = access.server, access.insecure
        cluster = KubeCluster(access, clock)
        try:
            async with asyncio.timeout(15):
                deletes = await cluster.allowed("delete", _NAMESPACES)
        finally:
            await cluster.close()
    except TimeoutError:
        return contexts.Context(
            name=name, server=server, current=current, insecure=insecure, failure="no answer within 15 s"
        )
    except KildeError as error:
        return contexts.Context(name=name, server=server, current=current, insecure=insecure, failure=error.what)
    return contexts.Context(name=name, server=server, current=current, insecure=insecure, deletes=deletes)
