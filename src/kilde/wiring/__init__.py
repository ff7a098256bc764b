"""The composition root: settings in, a running Kilde out. Only the modules of this folder pick concrete classes."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import platform
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from kilde import crds
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import entry
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.limits import ClientLimits
from kilde.adapters.cluster.overrides import Overrides
from kilde.adapters.keys.age import unwrapper
from kilde.adapters.web_client import WebClient
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.plan.budget import Budget, FleetBudget
from kilde.core.secrets.vault.settings import VaultSettings
from kilde.core.source.credentials import choose
from kilde.engine.controller import Controller
from kilde.engine.fleet import Config
from kilde.engine.restarts import Restarts
from kilde.engine.sealing.controller import SealingController
from kilde.engine.sealing.endpoint import Endpoint
from kilde.engine.sealing.service import SERVICE_NAME, kubeseals_service
from kilde.engine.sealing.settings import SealingSettings
from kilde.engine.settings import EngineSettings
from kilde.engine.sops import SopsKeys
from kilde.engine.vault.controller import VaultSecretController
from kilde.engine.witnessing import Witnessing
from kilde.engine.world import World
from kilde.kubeapi.local_services import LocalServices
from kilde.ports.cluster import Resource
from kilde.ports.sources import Credentials
from kilde.ports.vault import Vault
from kilde.web.app import make_app
from kilde.web.face import Face
from kilde.web.sealing import SealingApp
from kilde.web.server import serving
from kilde.wiring.key_stores import Keys, key_places
from kilde.wiring.ledgers import open_ledger, open_witness
from kilde.wiring.running import first_error, stopped
from kilde.wiring.sealing import SealSettings, sealing_controller
from kilde.wiring.sourcing import open_downloads, open_sources, programs
from kilde.wiring.undo_store import open_undo
from kilde.wiring.vault import open_vault, vault_secret_controller

log = structlog.get_logger()

OWN_USER = "system:kilde"
_MASTERS = "system:masters"
_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_SERVICES = Resource("", "v1", "Service", "services", True)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_SWITCH = 0.001  # seconds; a render gives way to the event loop, and with it to heals, after so long
# seconds; the cluster in the box has seldom another candidate, and an idle one is not written to
_OWN_LEASE, _SHARED_LEASE = 3600.0, 60.0
_WAIT_FOR_KINDS = Backoff(first=0.1, factor=1.5, ceiling=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpSettings:
    """What `kilde up` was asked for. Without `kubeconfig` the embedded cluster is started."""

    data_dir: Path
    kubeconfig: Path | None = None
    context: str = ""
    host: str = "127.0.0.1"
    port: int = 8480
    api_port: int = 0
    poll: float = 120.0
    wave_delay: float = 2.0
    deletion_budget: Budget = EngineSettings().deletion_budget
    fleet_budget: FleetBudget = EngineSettings().fleet_budget
    on_degraded: str = EngineSettings().on_degraded
    undo_retention: float = EngineSettings().undo_retention
    raw_secrets: bool = False
    helm: str = ""  # the helm program: a path, or a name to look for; "": as KILDE_HELM_COMMAND says, else helm
    plugins: str = ""  # a folder of config management plugins; "": as KILDE_PLUGINS says, else none
    writes: int = 0  # to the API server, a minute; 0: no limit
    namespace: str = "argocd"
    controllers: str = "simulate"
    nodes: int = 2
    durability: str = "full"
    acting: str = (
        ""  # the user as whom the controller acts; "": who the kubeconfig says, and OWN_USER in the embedded cluster
    )
    kubernetes_version: str = "1.36"
    seals: bool | None = None  # whether SealedSecrets are opened; None: in the embedded cluster
    seal_listen: tuple[str, int] = ("127.0.0.1", 0)
    seal_renew: float = SealingSettings().renew_period
    seal_rate: int = 2
    seal_keys: Keys = field(default_factory=Keys)
    vault: VaultSettings | None = None  # where values of VaultSecrets and wrapped SOPS files come from
    witnesses: tuple[str, ...] = ()  # who is handed the ledger's checkpoints; see ledgers.open_witness
    witness_period: float = 300.0


def open_cluster(
    file: Path | None, *, context: str = "", writes: int = 0, acting: str = "", groups: Sequence[str] = ()
) -> KubeCluster:
    """A client for a kubeconfig file; None: KUBECONFIG, ~/.kube/config or the service account of the pod we run in.

    `writes` a minute are its budget; 0: as many as there are. `acting`: the user, with these groups, as whom it acts (impersonation).
    """
    clock = SystemClock()
    limits = ClientLimits(writes=writes)
    as_whom = (("Impersonate-User", acting), *(("Impersonate-Group", group) for group in groups)) if acting else ()
    access = entry.access(file, clock, os.environ, context=context, over=Overrides(impersonate=as_whom))
    return KubeCluster(access, clock, limits=limits)


def credentials_for(url: str, project: str, config: Config) -> Credentials:
    """What opens a repository, from Argo CD's labelled Secrets and ConfigMaps."""
    return choose(url, config.secrets, config.config_maps.values(), project=project)


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Any:
    """Two controllers on one data directory would write one ledger twice: the second is refused."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KildeError(
                "another kilde uses this data directory",
                about=str(data_dir),
                hint="stop it, or give another --data-dir",
            ) from None
        yield
    finally:
        os.close(file)


async def install_definitions(cluster: KubeCluster, namespace: str) -> None:
    """Puts the CustomResourceDefinitions and the namespace of the applications into a cluster that is ours alone."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await cluster.apply(_NAMESPACES, space, manager="kilde")
    for definition in crds.definitions():
        await cluster.apply(_DEFINITIONS, definition, manager="kilde")


async def await_kinds(cluster: KubeCluster) -> None:
    """Waits until Applications are served; says once what is missing."""
    failures = 0
    while True:
        try:
            if (await cluster.discovery(refresh=True)).resource("argoproj.io", "Application") is not None:
                return
            problem = (
                "the cluster does not serve Applications; install them with: kilde install --crds | kubectl apply -f -"
            )
        except ClusterError as error:
            if error.status in (401, 403):
                raise
            problem = str(error)
        failures += 1
        if failures in (1, 20):
            log.warning("waiting for the cluster", problem=problem)
        await asyncio.sleep(_WAIT_FOR_KINDS.delay(failures))


async def _credentials_of_running(made: Controller, url: str) -> Credentials:
    await made.context.config.synced.wait()
    return credentials_for(url, "", made.context.config)


@contextlib.asynccontextmanager
async def controller(
    settings: UpSettings, cluster: KubeCluster, vault: Vault | None = None
) -> AsyncIterator[Controller]:
    """A controller put together, not yet running; its ledger and mirrors are below the data directory."""
    clock = SystemClock()
    with contextlib.ExitStack() as stack:
        ledger, notary = stack.enter_context(open_ledger(settings.data_dir, clock))
        sources = open_sources(settings.data_dir, "git", clock)
        web, downloads = WebClient(), open_downloads()
        world = World(
            cluster=cluster,
            sources=sources,
            records=ledger,
            clock=clock,
            web=web,
            sops=SopsKeys(unwrapper, vault, settings.vault.sops if settings.vault else ()),
            programs=programs(settings.helm, settings.plugins),
            downloads=downloads,
            undo=stack.enter_context(open_undo(settings.data_dir)),
        )
        engine = EngineSettings(
            namespace=settings.namespace,
            poll=settings.poll,
            wave_delay=settings.wave_delay,
            deletion_budget=settings.deletion_budget,
            fleet_budget=settings.fleet_budget,
            on_degraded=settings.on_degraded,
            undo_retention=settings.undo_retention,
            raw_secrets=settings.raw_secrets,
        )
        made = Controller(world, engine, credentials_for)
        opens = partial(_credentials_of_running, made)
        witnesses = [stack.enter_context(open_witness(w, settings.data_dir, clock, opens)) for w in settings.witnesses]
        witnessing = Witnessing(ledger, notary, witnesses, clock, period=settings.witness_period)
        made.context.start("witnessing", witnessing.run())
        try:
            yield made
        finally:
            await made.close()
            await witnessing.last_words()
            await sources.close()
            await web.close()
            await downloads.close()


@contextlib.asynccontextmanager
async def _embedded(settings: UpSettings, services: LocalServices) -> AsyncIterator[Path]:
    """The embedded cluster, its kubeconfig in the data directory."""
    from kilde.kubeapi.main import serve
    from kilde.kubeapi.resources.release import release
    from kilde.kubeapi.settings import Controllers, Settings
    from kilde.kubeapi.storage.journal import Durability

    folder = settings.data_dir / "cluster"
    file = settings.data_dir / "kubeconfig"
    api = Settings(
        data_dir=folder,
        port=settings.api_port,
        kubeconfig=file,
        controllers=Controllers(settings.controllers),
        nodes=settings.nodes,
        services=services,
        durability=Durability(settings.durability),
        release=release(settings.kubernetes_version),
    )
    async with serve(api):
        yield file


async def run_up(settings: UpSettings, ready: Callable[[], None], stop: asyncio.Event) -> None:
    """`kilde up`: the embedded cluster unless a kubeconfig is given, the controller, and HTTP. Lasts until `stop` is set.

    Raises KildeError, out of whatever task it came from.
    """
    try:
        await _up(settings, ready, stop)
    except BaseExceptionGroup as group:
        raise first_error(group) from group


async def _up(settings: UpSettings, ready: Callable[[], None], stop: asyncio.Event) -> None:
    sys.setswitchinterval(_SWITCH)
    with _only_one(settings.data_dir):
        async with contextlib.AsyncExitStack() as stack:
            services = LocalServices()
            file = settings.kubeconfig or await stack.enter_async_context(_embedded(settings, services))
            acting = settings.acting or ("" if settings.kubeconfig else OWN_USER)
            masters = (_MASTERS,) if acting else ()
            cluster = open_cluster(
                file, context=settings.context, writes=settings.writes, acting=acting, groups=masters
            )
            stack.push_async_callback(cluster.close)
            if settings.kubeconfig is None:
                await install_definitions(cluster, settings.namespace)
            vault = await _vault(settings, stack)
            made = await stack.enter_async_context(controller(settings, cluster, vault))
            face = Face(made)
            await stack.enter_async_context(serving(make_app(face), settings.host, settings.port))
            opens = await _sealing(settings, cluster, services, made, vault, stack)
            values = _values(settings, cluster, made, vault)
            restarts = Restarts(
                cluster, settings.namespace, dice=os.urandom, tell=made.context.accounts.workload_restarted
            )
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(_run(cluster, made, ready), name="controller")]
                running.append(group.create_task(restarts.run(), name="restarts"))
                running += [group.create_task(opens.run(), name="sealing")] if opens else []
                running += [group.create_task(vault.run(), name="vault")] if vault else []
                running += [group.create_task(values.run(), name="vault-secrets")] if values else []
                running.append(group.create_task(stopped(stop), name="stop"))
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in running:
                    task.cancel()


async def _vault(settings: UpSettings, stack: contextlib.AsyncExitStack) -> Vault | None:
    """The one client of Vault: for keys, values and SOPS files."""
    reach = settings.vault or settings.seal_keys.reach
    if reach is None:
        return None
    vault = open_vault(reach)
    stack.push_async_callback(vault.close)
    return vault


def _values(
    settings: UpSettings, cluster: KubeCluster, made: Controller, vault: Vault | None
) -> VaultSecretController | None:
    """The controller of VaultSecrets, where it was said which Vault they are of."""
    if settings.vault is None or vault is None:
        return None
    return vault_secret_controller(
        settings.vault,
        vault,
        cluster,
        reserved=key_places(settings.seal_keys),
        identity=_identity(settings),
        lease=_lease(settings),
        accounts=made.context.accounts,
    )


def _identity(settings: UpSettings) -> str:
    """One data directory has one controller: after a crash it takes its own lease up again at once."""
    return f"{platform.node()}-{hashlib.sha256(str(settings.data_dir).encode()).hexdigest()[:12]}"


def _lease(settings: UpSettings) -> float:
    return _OWN_LEASE if settings.kubeconfig is None else _SHARED_LEASE


async def _sealing(
    settings: UpSettings,
    cluster: KubeCluster,
    services: LocalServices,
    made: Controller,
    vault: Vault | None,
    stack: contextlib.AsyncExitStack,
) -> SealingController | None:
    """The controller of SealedSecrets beside the other one; its Service leads to it in the embedded cluster."""
    embedded = settings.kubeconfig is None
    if not (embedded if settings.seals is None else settings.seals):
        return None
    sealing = SealingSettings(renew_period=settings.seal_renew, identity=_identity(settings), lease=_lease(settings))
    asked = SealSettings(
        sealing=sealing,
        listen=settings.seal_listen,
        rate=settings.seal_rate,
        burst=settings.seal_rate,
        keys=settings.seal_keys,
    )
    opens = sealing_controller(asked, cluster, vault, tell=made.context.accounts.secret_restored)
    endpoint = SealingApp(Endpoint(opens), rate=asked.rate, burst=asked.burst)
    url = await stack.enter_async_context(serving(endpoint, *settings.seal_listen))
    log.info("SealedSecrets", endpoint=url)
    if embedded:
        port = urlsplit(url).port or 0
        services.register(sealing.namespace, SERVICE_NAME, settings.seal_listen[0], port)
        await cluster.apply(_SERVICES, kubeseals_service(sealing.namespace), manager="kilde")
    return opens


async def _run(cluster: KubeCluster, made: Controller, ready: Callable[[], None]) -> None:
    await await_kinds(cluster)
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run(), name="engine")
        await made.ready.wait()
        ready()
