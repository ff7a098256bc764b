"""`kilde up`, put together: settings in, a running Kilde out."""

import asyncio
import contextlib
import hashlib
import os
import platform
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.core.basics.errors import KildeError
from kilde.engine.controller import Controller
from kilde.engine.migration.alone import Alone
from kilde.engine.restarts import Restarts
from kilde.engine.sealing.controller import SealingController
from kilde.engine.sealing.endpoint import Endpoint
from kilde.engine.sealing.service import SERVICE_NAME, kubeseals_service
from kilde.engine.vault.controller import VaultSecretController
from kilde.kubeapi.local_services import LocalServices
from kilde.kubeapi.occupied import locked
from kilde.ports.cluster import Resource
from kilde.ports.vault import Vault
from kilde.web.app import make_app
from kilde.web.face import Face
from kilde.web.sealing import SealingApp
from kilde.web.server import serving
from kilde.wiring.cluster import open_cluster
from kilde.wiring.controlling import ControllerSettings, controller
from kilde.wiring.definitions import await_kinds, install_definitions
from kilde.wiring.key_stores import key_places
from kilde.wiring.running import first_error, stopped
from kilde.wiring.sealing import SealSettings, sealing_controller
from kilde.wiring.vault import open_vault
from kilde.wiring.vault_secrets import vault_secret_controller

log = structlog.get_logger()

OWN_USER = "system:kilde"
_MASTERS = "system:masters"
_SERVICES = Resource("", "v1", "Service", "services", True)
_SWITCH = 0.001  # seconds; a render gives way to the event loop, and with it to heals, after so long
# seconds; the cluster in the box has seldom another candidate, and an idle one is not written to
_OWN_LEASE, _SHARED_LEASE = 3600.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """The cluster that is kept in step. Without `kubeconfig` the embedded one is started."""

    kubeconfig: Path | None = None
    context: str = ""
    acting: str = ""  # the user as whom we act; "": who the kubeconfig says, and OWN_USER in the embedded cluster
    writes: int = 0  # to the API server, a minute; 0: no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """The cluster in the box."""

    api_port: int = 0
    durability: str = "full"
    kubernetes_version: str = "1.36"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpSettings:
    """What `kilde up` was asked for."""

    controller: ControllerSettings
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    embedded: EmbeddedSettings = field(default_factory=EmbeddedSettings)
    listen: tuple[str, int] = ("127.0.0.1", 8480)
    seals: bool | None = None  # whether SealedSecrets are opened; None: in the embedded cluster
    sealing: SealSettings = field(default_factory=SealSettings)

    @property
    def data_dir(self) -> Path:
        return self.controller.data_dir

    @property
    def is_embedded(self) -> bool:
        return self.cluster.kubeconfig is None


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Any:
    """Two controllers on one data directory would write one ledger twice: the second is refused."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(data_dir / "lock") as ours:
        if not ours:
            hint = "stop it, or give another --data-dir"
            raise KildeError("another kilde uses this data directory", about=str(data_dir), hint=hint)
        yield


@contextlib.asynccontextmanager
async def _embedded(settings: UpSettings, services: LocalServices) -> AsyncIterator[Path]:
    """The embedded cluster, its kubeconfig in the data directory."""
    from kilde.kubeapi.main import serve
    from kilde.kubeapi.resources.release import release
    from kilde.kubeapi.settings import Settings
    from kilde.kubeapi.storage.journal import Durability

    folder = settings.data_dir / "cluster"
    file = settings.data_dir / "kubeconfig"
    api = Settings(
        data_dir=folder,
        port=settings.embedded.api_port,
        kubeconfig=file,
        services=services,
        durability=Durability(settings.embedded.durability),
        release=release(settings.embedded.kubernetes_version),
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
            cluster = await _cluster(settings, services, stack)
            vault = await _vault(settings, stack)
            made = await stack.enter_async_context(controller(settings.controller, cluster, vault))
            face = Face(made)
            await stack.enter_async_context(serving(make_app(face), *settings.listen))
            opens = await _sealing(settings, cluster, services, made, vault, stack)
            values = _values(settings, cluster, made, vault)
            restarts = Restarts(
                cluster,
                settings.controller.engine.namespace,
                dice=os.urandom,
                tell=made.context.accounts.workload_restarted,
            )
            async with asyncio.TaskGroup() as group:
                alone = Alone(cluster, SystemClock(), settings.controller.engine.namespace, _identity(settings))
                works = partial(_run, made, restarts, ready)
                running = [group.create_task(_alone(cluster, alone, works), name="controller")]
                running += [group.create_task(opens.run(), name="sealing")] if opens else []
                running += [group.create_task(vault.run(), name="vault")] if vault else []
                running += [group.create_task(values.run(), name="vault-secrets")] if values else []
                running.append(group.create_task(stopped(stop), name="stop"))
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in running:
                    task.cancel()


async def _cluster(settings: UpSettings, services: LocalServices, stack: contextlib.AsyncExitStack) -> KubeCluster:
    """A client for the cluster that was named, or for an embedded one that then knows Applications."""
    asked = settings.cluster
    file = asked.kubeconfig or await stack.enter_async_context(_embedded(settings, services))
    acting = asked.acting or (OWN_USER if settings.is_embedded else "")
    masters = (_MASTERS,) if acting else ()
    cluster = open_cluster(file, context=asked.context, writes=asked.writes, acting=acting, groups=masters)
    stack.push_async_callback(cluster.close)
    if settings.is_embedded:
        await install_definitions(cluster, settings.controller.engine.namespace)
    return cluster


async def _vault(settings: UpSettings, stack: contextlib.AsyncExitStack) -> Vault | None:
    """The one client of Vault: for keys, values and SOPS files."""
    reach = settings.controller.vault or settings.sealing.keys.reach
    if reach is None:
        return None
    vault = open_vault(reach)
    stack.push_async_callback(vault.close)
    return vault


def _values(
    settings: UpSettings, cluster: KubeCluster, made: Controller, vault: Vault | None
) -> VaultSecretController | None:
    """The controller of VaultSecrets, where it was said which Vault they are of."""
    reach = settings.controller.vault
    if reach is None or vault is None:
        return None
    return vault_secret_controller(
        reach,
        vault,
        cluster,
        reserved=key_places(settings.sealing.keys),
        identity=_identity(settings),
        lease=_lease(settings),
        accounts=made.context.accounts,
    )


def _identity(settings: UpSettings) -> str:
    """One data directory has one controller: after a crash it takes its own lease up again at once."""
    return f"{platform.node()}-{hashlib.sha256(str(settings.data_dir).encode()).hexdigest()[:12]}"


def _lease(settings: UpSettings) -> float:
    return _OWN_LEASE if settings.is_embedded else _SHARED_LEASE


async def _sealing(
    settings: UpSettings,
    cluster: KubeCluster,
    services: LocalServices,
    made: Controller,
    vault: Vault | None,
    stack: contextlib.AsyncExitStack,
) -> SealingController | None:
    """The controller of SealedSecrets beside the other one; its Service leads to it in the embedded cluster."""
    if not (settings.is_embedded if settings.seals is None else settings.seals):
        return None
    asked = settings.sealing
    sealing = replace(asked.sealing, identity=_identity(settings), lease=_lease(settings))
    asked = replace(asked, sealing=sealing)
    opens = sealing_controller(asked, cluster, vault, tell=made.context.accounts.secret_restored)
    endpoint = SealingApp(Endpoint(opens), rate=asked.rate, burst=asked.burst)
    url = await stack.enter_async_context(serving(endpoint, *asked.listen))
    log.info("SealedSecrets", endpoint=url)
    if settings.is_embedded:
        port = urlsplit(url).port or 0
        services.register(sealing.namespace, SERVICE_NAME, asked.listen[0], port)
        await cluster.apply(_SERVICES, kubeseals_service(sealing.namespace), manager="kilde")
    return opens


async def _alone(cluster: KubeCluster, alone: Alone, works: Callable[[], Awaitable[None]]) -> None:
    await await_kinds(cluster)
    await alone.work(works)


async def _run(made: Controller, restarts: Restarts, ready: Callable[[], None]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run(), name="engine")
        group.create_task(restarts.run(), name="restarts")
        await made.ready.wait()
        ready()
