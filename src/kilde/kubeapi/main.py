"""run: the whole embedded API server, from settings to the last byte."""

import asyncio
import datetime
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import structlog

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object
from kilde.kubeapi import components, controllers
from kilde.kubeapi.access.tokens import signing_key
from kilde.kubeapi.bootstrap import bootstrap
from kilde.kubeapi.call import ADMIN, User
from kilde.kubeapi.certificates import Identity, ensure, write_private
from kilde.kubeapi.controllers.certificates import Certifying
from kilde.kubeapi.controllers.clock import VirtualClock
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.custom_kinds import CustomKinds
from kilde.kubeapi.kubeconfig import kubeconfig
from kilde.kubeapi.loading import load
from kilde.kubeapi.local import LocalApi
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.memory import give_back_large_pieces
from kilde.kubeapi.occupied import Running, noted, occupied
from kilde.kubeapi.serving.about import About
from kilde.kubeapi.serving.access import Access
from kilde.kubeapi.serving.app import App
from kilde.kubeapi.serving.audit import Audit
from kilde.kubeapi.serving.control import Control
from kilde.kubeapi.serving.faults import Faults
from kilde.kubeapi.serving.identity import Authenticator
from kilde.kubeapi.serving.listen import Listener, bind
from kilde.kubeapi.serving.metrics import Metrics
from kilde.kubeapi.serving.resources import Resources
from kilde.kubeapi.serving.rotating import RotatingFile
from kilde.kubeapi.serving.watching import Watches
from kilde.kubeapi.settings import AuditLog, Controllers, Settings
from kilde.kubeapi.signing import Authority, asked
from kilde.kubeapi.storage.sqlite_journal import SqliteJournal
from kilde.kubeapi.storage.store import Store
from kilde.kubeapi.upkeep.loop import Upkeep
from kilde.kubeapi.upkeep.service_addresses import ServiceAddresses
from kilde.kubeapi.world import World

_TIME = "time"  # in the data directory: where a clock that ran ahead of the machine's has come to
_log = structlog.get_logger("kilde.kubeapi")


class CannotServe(KildeError):
    """The API server cannot begin."""

    code = "cannot-serve"


async def run(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serves until cancelled. `ready` is told the server's URL once it answers and the kubeconfig is written. CannotServe."""
    async with serve(settings) as url:
        ready(url)
        await asyncio.Event().wait()


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[str]:
    """The running server: its URL. Leaving ends it within two seconds, open watches or not."""
    give_back_large_pieces()
    with tempfile.TemporaryDirectory(prefix="kilde-cluster-") as scratch, ExitStack() as stack:
        folder = settings.data_dir or Path(scratch)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stack.enter_context(occupied(folder))
        if settings.in_memory and settings.data_dir:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)  # while it is still ours
        try:
            sock = bind(settings.host, settings.port)
        except OSError as error:
            raise CannotServe(f"cannot listen: {error.strerror}", about=f"{settings.host}:{settings.port}") from error
        port = sock.getsockname()[1]
        identity = _identity(settings, folder)
        address = f"[{settings.host}]:{port}" if ":" in settings.host else f"{settings.host}:{port}"
        url = f"{'https' if settings.tls else 'http'}://{address}"
        token = identity.token if identity else secrets.token_urlsafe(32)
        kept = settings.data_dir and not settings.in_memory
        store = Store(SqliteJournal(folder / "cluster.db", settings.durability) if kept else None)
        _tell_recovery(store)
        store.attach(asyncio.get_running_loop())
        try:
            async with _running(settings, folder, store, sock, identity, token, address):
                path = settings.kubeconfig or (folder / "kubeconfig" if settings.data_dir else None)
                if path is not None:
                    write_private(path, kubeconfig(url, identity.ca.read_bytes() if identity else b"", token))
                with noted(folder, Running(os.getpid(), url, time.time(), settings.in_memory)):
                    yield url
        finally:
            store.close()


def _tell_recovery(store: Store) -> None:
    """Says what a start found that is not as a clean end leaves it."""
    found, objects = store.recovery, sum(map(store.count, store.resources()))
    if found.upgraded_from:
        _log.info("the store was brought to today's format", from_format=found.upgraded_from, objects=objects)
    if found.problems or not found.clean:
        tell = _log.warning if found.problems else _log.info
        words = {"objects": objects, "replayed": found.replayed, "resource_version": store.version}
        tell("recovered after a run that did not end by itself", **words, problems=list(found.problems))


def _identity(settings: Settings, folder: Path) -> Identity | None:
    if not settings.tls:
        return None
    return ensure(folder / "pki", settings.host, now=datetime.datetime.now(datetime.UTC))


def _begin(folder: Path) -> float:
    """The moment a cluster goes on at: the machine's time, or the one it had come to if that was ahead of it."""
    try:
        return max(time.time(), float((folder / _TIME).read_text()))
    except (OSError, ValueError):
        return time.time()


def _keep_time(folder: Path, clock: VirtualClock) -> None:
    if clock.now() > time.time() + 1:
        write_private(folder / _TIME, f"{clock.now():.3f}\n".encode())


async def _forever(job: Callable[[], Awaitable[None]]) -> None:
    await job()


@asynccontextmanager
async def _running(
    settings: Settings,
    folder: Path,
    store: Store,
    sock: socket.socket,
    identity: Identity | None,
    token: str,
    address: str,
) -> AsyncIterator[None]:
    clock = VirtualClock(speed=settings.speed, start=_begin(folder), seed=None if settings.speed else 0)
    key = signing_key(folder / "sa.key")
    world = World(
        store,
        clock=clock.now,
        service_range=settings.service_range,
        key=key,
        serves=settings.release,
        parts=components.statuses(settings.controllers),
    )
    kinds = CustomKinds(world)
    bootstrap(world)
    ServiceAddresses(world)
    watches, metrics = Watches(world), Metrics(store)
    about = About(world, metrics, address)
    faults = Faults()
    control = Control(world, clock, faults)
    app = App(
        Resources(world, watches, settings.services), about, _access(world, token), metrics, store, control, faults
    )
    with _audited(settings.audit, app, clock) as served:
        listener = Listener(served, sock, identity, settings.patience)
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(listener.run(), name="kubeapi-listener")
                await listener.started()
                ca = identity.ca.read_text() if identity else ""
                api = LocalApi(world)
                control.loop, jobs = _moving(settings, world, api, clock, ca, _certifying(world, identity))
                working = [group.create_task(_forever(job), name=f"kubeapi-{name}") for name, job in jobs.items()]
                try:
                    await load(api, settings.load, rules=settings.rules)
                    yield
                finally:
                    kinds.stop()
                    for task in working:
                        task.cancel()
                    watches.stop()
                    listener.stop()
                    await serving
                    _keep_time(folder, clock)
        except BaseExceptionGroup as failed:
            if len(failed.exceptions) == 1:
                raise failed.exceptions[0] from None  # what the caller raised inside, as it raised it
            raise


def _moving(
    settings: Settings, world: World, api: LocalApi, clock: VirtualClock, ca: str, certifying: Certifying
) -> tuple[Loop | None, dict[str, Callable[[], Awaitable[None]]]]:
    """What writes by itself: the controllers' loop, if any runs, and all the jobs by name."""
    moving = controllers.assemble(
        api,
        lambda: world.kinds.served,
        mode=settings.controllers,
        nodes=settings.nodes,
        cloud=settings.cloud,
        marks=settings.marks,
        clock=clock,
        ca=ca,
        certifying=certifying,
        version=settings.release.version,
    )
    jobs = dict(moving.jobs)
    if settings.controllers != Controllers.OFF:
        jobs["upkeep"] = Upkeep(world, ca).run
    return moving.loop, jobs


def _certifying(world: World, identity: Identity | None) -> Certifying:
    """What CertificateSigningRequests are read, judged and signed by; without TLS nobody signs."""

    def may(spec: Object, subresource: str) -> bool:
        user = User(str(spec.get("username") or ""), tuple(spec.get("groups") or ()), str(spec.get("uid") or ""))
        wanted = Attributes("create", "certificates.k8s.io", "certificatesigningrequests", subresource)
        return world.authorizer.decide(user, wanted).allowed

    authority = Authority(identity.ca, identity.authority_key) if identity else None
    return Certifying(asked, may, authority.sign if authority else None)


def _access(world: World, token: str) -> Access:
    return Access(world, Authenticator({token: ADMIN}), world.authorizer, world.tokens)


@contextmanager
def _audited(settings: AuditLog | None, app: App, clock: VirtualClock) -> Iterator[App | Audit]:
    """The application, with its audit log around it if there is to be one."""
    if settings is None:
        yield app
        return
    try:
        file = RotatingFile(settings.path, settings.rotation, clock.now)
    except OSError as error:
        raise CannotServe(f"the audit log cannot be opened: {error.strerror}", about=str(settings.path)) from error
    with closing(file):
        yield Audit(app, settings.policy, file, clock.now)
