"""The composition root: settings in, a running Kilde out. The only module that picks concrete classes."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import structlog

from kilde import crds
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import kubeconfig
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.git.sources import GitSources
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.apps.application import Application, read_application
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.objects.yaml_writer import write_document
from kilde.core.source.credentials import choose
from kilde.engine.controller import Controller
from kilde.engine.fleet import APPLICATIONS, CONFIG_MAPS, CREDENTIALS_SELECTOR, SECRETS, Config
from kilde.engine.inspect import ObjectDiff, diff_application, plan_rollback
from kilde.engine.settings import EngineSettings
from kilde.engine.why import Answer, why_application
from kilde.engine.world import World
from kilde.ports.cluster import Resource
from kilde.ports.sources import Credentials
from kilde.web.app import make_app
from kilde.web.face import Face
from kilde.web.server import serving

log = structlog.get_logger()

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
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
    namespace: str = "argocd"
    controllers: str = "simulate"
    nodes: int = 2
    durability: str = "full"


def open_cluster(file: Path | None, *, context: str = "") -> KubeCluster:
    """A client for a kubeconfig file; None: KUBECONFIG, ~/.kube/config or the service account of the pod we run in."""
    clock = SystemClock()
    files = [file] if file is not None else kubeconfig.default_files(os.environ)
    if file is None and not any(path.exists() for path in files):
        return KubeCluster(kubeconfig.in_cluster(clock, os.environ), clock)
    return KubeCluster(kubeconfig.load(files, clock, context=context), clock)


def credentials_for(url: str, config: Config) -> Credentials:
    """What opens a repository, from Argo CD's labelled Secrets and ConfigMaps."""
    return choose(url, config.secrets, config.config_maps.values())


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


@contextlib.asynccontextmanager
async def controller(settings: UpSettings, cluster: KubeCluster) -> AsyncIterator[Controller]:
    """A controller put together, not yet running; its ledger and mirrors are below the data directory."""
    clock = SystemClock()
    with SqliteLedger(settings.data_dir / "ledger.sqlite") as ledger:
        sources = GitSources(settings.data_dir / "git", clock=clock)
        world = World(cluster=cluster, sources=sources, records=ledger, clock=clock)
        made = Controller(world, EngineSettings(namespace=settings.namespace, poll=settings.poll), credentials_for)
        try:
            yield made
        finally:
            await made.close()
            await sources.close()


@contextlib.asynccontextmanager
async def _embedded(settings: UpSettings) -> AsyncIterator[Path]:
    """The embedded cluster, its kubeconfig in the data directory."""
    from kilde.kubeapi.main import serve
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
        durability=Durability(settings.durability),
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
        raise _first(group) from group


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error a person should hear of: a KildeError where there is one, else the first."""
    told, others = group.split(KildeError)
    found: BaseException = told or others or group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


async def _up(settings: UpSettings, ready: Callable[[], None], stop: asyncio.Event) -> None:
    with _only_one(settings.data_dir):
        async with contextlib.AsyncExitStack() as stack:
            file = settings.kubeconfig or await stack.enter_async_context(_embedded(settings))
            cluster = open_cluster(file, context=settings.context)
            stack.push_async_callback(cluster.close)
            if settings.kubeconfig is None:
                await install_definitions(cluster, settings.namespace)
            made = await stack.enter_async_context(controller(settings, cluster))
            face = Face(made)
            await stack.enter_async_context(serving(make_app(face), settings.host, settings.port))
            async with asyncio.TaskGroup() as group:
                running = group.create_task(_run(cluster, made, ready), name="controller")
                waiting = group.create_task(stop.wait(), name="stop")
                await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
                for task in (running, waiting):
                    task.cancel()


async def _run(cluster: KubeCluster, made: Controller, ready: Callable[[], None]) -> None:
    await await_kinds(cluster)
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run(), name="engine")
        await made.ready.wait()
        ready()


@contextlib.asynccontextmanager
async def _looking(
    settings: UpSettings, name: str
) -> AsyncIterator[tuple[KubeCluster, GitSources, Application, Credentials]]:
    """What a command needs to look at one application beside a running controller: mirrors of its own, the same eyes."""
    clock = SystemClock()
    cluster = open_cluster(settings.kubeconfig, context=settings.context)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    sources = GitSources(settings.data_dir / "git-cli", clock=clock)
    try:
        raw = await cluster.get(APPLICATIONS, settings.namespace, name)
        if raw is None:
            raise KildeError(
                "there is no such application", about=f"{settings.namespace}/{name}", hint="kilde app list"
            )
        app = read_application(msgspec.json.decode(raw))
        credentials = await _credentials(cluster, settings.namespace, app)
        yield cluster, sources, app, credentials
    finally:
        await sources.close()
        await cluster.close()


async def _credentials(cluster: KubeCluster, namespace: str, app: Application) -> Credentials:
    url = app.source.repo_url if app.source else ""
    try:
        secrets = await cluster.list(SECRETS, namespace, label_selector=CREDENTIALS_SELECTOR)
        maps = await cluster.list(CONFIG_MAPS, namespace)
    except ClusterError as error:
        if error.status != 403:
            raise
        return Credentials()  # without the right to read them, public repositories still work
    return choose(url, [msgspec.json.decode(raw) for raw in secrets], [msgspec.json.decode(raw) for raw in maps])


async def app_diff(settings: UpSettings, name: str, *, revision: str = "") -> tuple[str, list[ObjectDiff]]:
    """The commit, and every object that a sync to it would change. Raises KildeError."""
    async with _looking(settings, name) as (cluster, sources, app, credentials):
        return await diff_application(cluster, sources, app, credentials, revision=revision, write=write_document)


async def app_why(settings: UpSettings, name: str, path: str, *, revision: str = "") -> Answer:
    """Whether and why a file touches an application. Raises KildeError."""
    async with _looking(settings, name) as (_, sources, app, credentials):
        return await why_application(sources, app, credentials, path, revision=revision)


async def app_rollback(
    settings: UpSettings, name: str, *, to: str = "", reason: str = "", author: str, dry_run: bool = False
) -> str:
    """Commits and pushes the way back; what was done (or would be), for people. Raises KildeError."""
    async with _looking(settings, name) as (_, sources, app, credentials):
        plan = await plan_rollback(sources, app, credentials, to=to, reason=reason)
        files = "".join(f"  {path}\n" for path in plan.paths)
        told = f"{plan.message.partition(chr(10))[0]}\nrestored on branch {plan.branch} as of {plan.to}:\n{files}"
        if dry_run:
            return f"{told}nothing was written (--dry-run)\n"
        made = await sources.push_revert(
            plan.url,
            credentials,
            branch=plan.branch,
            to=plan.to,
            paths=plan.paths,
            author=author,
            message=plan.message,
        )
        return f"{told}pushed as {made}\n"
