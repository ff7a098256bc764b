"""A shadow of another controller, put together: the engine over a cluster that can only be read, its records in a folder of its own."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from urllib.parse import urlsplit

from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.keys.age import unwrapper
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.adapters.web_client import WebClient
from kilde.core.apps.application import Application
from kilde.core.basics.errors import KildeError
from kilde.core.migrate.shadow import Shadow
from kilde.engine.controller import Controller
from kilde.engine.migration.flux.after import AfterFlux
from kilde.engine.migration.shadow import Book, ReadOnly, ShadowReporter, Voice
from kilde.engine.settings import EngineSettings
from kilde.engine.sources.sops import SopsKeys
from kilde.engine.world import World
from kilde.wiring.cluster import open_cluster
from kilde.wiring.controlling import credentials_for
from kilde.wiring.definitions import await_kinds
from kilde.wiring.programs import programs
from kilde.wiring.reaching import programs_of_secrets, reacher
from kilde.wiring.running import first_error
from kilde.wiring.settings import LookSettings
from kilde.wiring.sourcing import open_downloads, open_sources

_PATIENCE = 120.0  # seconds for every application to have been worked out once
_LOOK = 0.2


async def run_shadow(settings: LookSettings, *, seconds: float, raw_secrets: bool) -> Shadow:
    """Of Argo CD: compares for so long, and at least once each application. Raises KildeError."""
    async with _opened(settings) as (cluster, where):
        book = Book(Voice())
        engine = EngineSettings(namespace=settings.namespace, raw_secrets=raw_secrets, shadow=True)
        async with _shadow(settings, ReadOnly(cluster), cluster, engine, book) as made:
            apps = await _compared(made, book, seconds)
            return Shadow(system=book.voice.system, cluster=where, seconds=seconds, applications=book.told(apps))


async def run_flux_shadow(settings: LookSettings, *, seconds: float, raw_secrets: bool) -> Shadow:
    """Of Flux, in the cluster as it would be after a take-over. Raises KildeError."""
    async with _opened(settings) as (cluster, where):
        after = AfterFlux(cluster, SystemClock(), settings.namespace)
        await after.look()
        book = Book(after.voice)
        engine = EngineSettings(namespace=settings.namespace, raw_secrets=raw_secrets, shadow=True)
        async with _shadow(settings, after, cluster, engine, book) as made:
            after.retrack = made.retrack
            apps = await _compared(made, book, seconds, beside=after.follow)
            told = (*book.told(apps), *after.left)
            return Shadow(system=book.voice.system, cluster=where, seconds=seconds, applications=told)


@contextlib.asynccontextmanager
async def _opened(settings: LookSettings) -> AsyncIterator[tuple[KubeCluster, str]]:
    """The cluster, and its address and version for people."""
    cluster = open_cluster(settings.kubeconfig, context=settings.context)
    try:
        await await_kinds(cluster)
        yield cluster, f"{urlsplit(cluster.access.server).netloc} ({await cluster.version()})"
    except BaseExceptionGroup as group:
        raise first_error(group) from group
    finally:
        await cluster.close()


async def _rests() -> None:
    """Nothing runs beside."""


async def _compared(
    made: Controller, book: Book, seconds: float, *, beside: Callable[[], Coroutine[None, None, None]] = _rests
) -> tuple[Application, ...]:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        work = [group.create_task(made.run(), name="shadow"), group.create_task(beside(), name="shadow: beside")]
        try:
            async with asyncio.timeout(_PATIENCE):
                await made.ready.wait()
        except TimeoutError:
            raise KildeError("the cluster did not list what is needed", hint="is it reachable?") from None
        begun = loop.time()
        while loop.time() - begun < seconds or not book.is_full(made.context.fleet.all()):
            if loop.time() - begun > seconds + _PATIENCE:
                break
            await asyncio.sleep(_LOOK)
        apps = made.context.fleet.all()
        for task in work:
            task.cancel()
    return apps


@contextlib.asynccontextmanager
async def _shadow(
    settings: LookSettings, view: ReadOnly, cluster: KubeCluster, engine: EngineSettings, book: Book
) -> AsyncIterator[Controller]:
    folder = settings.data_dir / "shadow"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock, reach = SystemClock(), reacher(cluster, programs=programs_of_secrets())
    sources, web, downloads = (
        open_sources(folder, "git", clock),
        WebClient(AwsIdentities(clock, os.environ)),
        open_downloads(),
    )
    with SqliteLedger(folder / "ledger.sqlite") as ledger:
        world = World(
            cluster=view,
            reach=lambda secret: ReadOnly(reach(secret), owned=True),
            sources=sources,
            records=ledger,
            clock=clock,
            web=web,
            sops=SopsKeys(unwrapper),
            programs=programs(),
            downloads=downloads,
        )
        made = Controller(world, engine, credentials_for, report=partial(ShadowReporter, book=book))
        book.context = made.context
        try:
            yield made
        finally:
            await made.close()
            await sources.close()
            await web.close()
            await downloads.close()
