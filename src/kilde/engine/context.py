"""Context: everything a pass, a heal or a deletion works with: one for each cluster that applications deploy to.

What is of the Applications (fleet, repositories, ledger, memory between passes) all of them share; what is of a cluster each has its own.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from kilde.core.apps.application import Application
from kilde.core.apps.clusters import HOME, KnownCluster
from kilde.core.basics.errors import ClusterError, SourceError
from kilde.core.guard.windows import Window
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.engine.deletion.budgets import DeletionBudgets
from kilde.engine.fleet.applications import Config, Fleet
from kilde.engine.fleet.projects import Projects
from kilde.engine.records.accounts import Accounts, CutOff
from kilde.engine.report import Reporter
from kilde.engine.runtime import Runtime
from kilde.engine.settings import EngineSettings
from kilde.engine.sources.rendering import Renderer
from kilde.engine.sources.repositories import Repositories
from kilde.engine.sources.signatures import Signatures
from kilde.engine.view.live import LiveView, Scope
from kilde.engine.view.orphans import Orphans
from kilde.engine.view.schemas import Schemas
from kilde.engine.view.strays import Strays
from kilde.engine.view.survey import Surveyor
from kilde.engine.world import World
from kilde.ports.cluster import Cluster, Discovery, Resource

NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_WIDE_FROM = 16  # namespaces of one kind: beyond it one watch of all namespaces is lighter for everybody


@dataclass(slots=True, kw_only=True)
class Context:
    """The parts of a running engine. `world.cluster` is the one that is deployed to; `home` is that of the Applications."""

    world: World
    home: Cluster
    of: KnownCluster = HOME
    problem: str = ""  # why the cluster cannot be worked with now
    settings: EngineSettings
    fleet: Fleet
    config: Config
    live: LiveView
    repositories: Repositories
    renderer: Renderer
    schemas: Schemas
    projects: Projects
    signatures: Signatures
    surveyor: Surveyor
    reporter: Reporter
    accounts: Accounts
    deletion_budgets: DeletionBudgets
    orphans: Orphans
    wake: Callable[[str, float], None]  # asks for a pass over an application after so many seconds
    heal: Callable[[str, ObjectRef], None]  # asks for one object of an application to be put back
    start: Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]]  # makes a task that the controller owns
    slots: asyncio.Semaphore
    runtimes: dict[str, Runtime] = field(default_factory=dict)
    wanted_by: dict[ObjectRef, set[str]] = field(default_factory=dict)
    signals: dict[str, asyncio.Event] = field(default_factory=dict)
    cut_off: dict[str, CutOff] = field(default_factory=dict)  # what a crash may have left, by application
    began: dict[str, float] = field(default_factory=dict)  # when the newest operation of earlier processes did
    wide: set[GroupKind] = field(default_factory=set)
    windows: dict[str, Window] = field(default_factory=dict)  # the guard's, that are open now
    strays: Strays = field(init=False)
    _users: dict[GroupKind, Counter[str]] = field(
        default_factory=dict
    )  # how many applications watch a kind, by namespace

    def __post_init__(self) -> None:
        self.strays = Strays(
            cluster=self.world.cluster,
            live=self.live,
            projects=self.projects,
            clock=self.world.clock,
            names=lambda: (app.name for app in self.fleet.all() if self.has(app)),
        )

    def elsewhere(
        self, of: KnownCluster, cluster: Cluster, live: LiveView, *, start: Callable[..., asyncio.Task[None]]
    ) -> "Context":
        """The context of another cluster."""
        schemas = Schemas(cluster)
        surveyor = Surveyor(live, schemas, self.projects)
        surveyor.customizations = self.surveyor.customizations
        live.tracking = self.live.tracking
        return replace(
            self,
            world=replace(self.world, cluster=cluster),
            of=of,
            live=live,
            schemas=schemas,
            surveyor=surveyor,
            deletion_budgets=replace(self.deletion_budgets, cluster=cluster, live=live),
            orphans=self.orphans.elsewhere(cluster, of.server, lambda: live.tracking, start),
            start=start,
            slots=asyncio.Semaphore(self.settings.parallel_passes),
            wanted_by={},
            wide=set(),
            _users={},
        )

    @property
    def is_home(self) -> bool:
        """Whether it is of the cluster where the Applications are."""
        return self.world.cluster is self.home

    def has(self, app: Application) -> bool:
        """Whether the application deploys to this cluster."""
        return app.destination.cluster.server == self.of.server

    def require(self) -> None:
        """Raises ClusterError at once where it is known that the cluster does not answer."""
        if self.problem:
            raise ClusterError(self.problem, about=f"cluster {self.of}", reason="Unreachable")

    @contextlib.asynccontextmanager
    async def without_slot(self) -> AsyncIterator[None]:
        """In a pass that waits: others have its slot meanwhile."""
        self.slots.release()
        try:
            yield
        finally:
            await self.slots.acquire()

    def runtime(self, name: str) -> Runtime:
        return self.runtimes.setdefault(name, Runtime())

    def now(self) -> float:
        return self.world.clock.now()

    async def commit_of(self, url: str, revision: str) -> str:
        """What a revision is in the mirror now; "" where it is nothing."""
        with contextlib.suppress(SourceError):
            return await self.world.sources.resolve(url, revision)
        return ""

    def writer(self, app: Application, *, demanded: bool = True) -> Cluster:
        """The cluster as the application's writes meet it: as the account of its project, where that is asked for. Raises InvalidInput."""
        account = self.projects.account(app, demanded=demanded)
        return self.world.cluster.acting(account) if account else self.world.cluster

    def signal(self, name: str) -> asyncio.Event:
        """Is set when something of the application changes from now on."""
        signal = self.signals.setdefault(name, asyncio.Event())
        signal.clear()
        return signal

    def window(self, name: str) -> Window | None:
        """The window in which people may change what is the application's, if one is open."""
        return next((window for window in self.windows.values() if window.covers(name)), None)

    def may_own(self, app: Application) -> frozenset[ObjectRef]:
        """What the status need not list: written by an operation that a crash cut off, or of kinds that nobody looked at until now."""
        cut = self.cut_off.get(app.name)
        return self.strays.of(app.name, app.destination.namespace) | (cut.objects if cut is not None else frozenset())

    def close_cut_off(self, name: str) -> None:
        """The status lists what there is (or the application is gone): the ledger's open records are closed."""
        cut = self.cut_off.pop(name, None)
        if cut is not None:
            self.accounts.close_cut_off(cut)

    def hold(self, name: str, refs: Iterable[ObjectRef]) -> None:
        """The application wants exactly these objects: they are held in the live view though nobody tracks them yet."""
        rt = self.runtime(name)
        new = frozenset(refs)
        for ref in new - rt.held_refs:
            self.wanted_by.setdefault(ref, set()).add(name)
        for ref in rt.held_refs - new:
            names = self.wanted_by.get(ref)
            if names is not None:
                names.discard(name)
                if not names:
                    del self.wanted_by[ref]
        self.live.want(new - rt.held_refs)
        self.live.unwant(rt.held_refs - new)
        rt.held_refs = new

    async def watch_all(self, name: str, refs: Iterable[ObjectRef], discovery: Discovery) -> None:
        """Watches the kinds and namespaces of these objects, and waits until they are known. Raises ClusterError."""
        scopes: set[Scope] = set()
        for ref in refs:
            resource = discovery.resource(ref.group, ref.kind)
            if resource is None or self.of.unmanaged(ref.kind, ref.namespace, ref.name):
                continue
            if resource.namespaced and not ref.namespace:
                continue  # it has no place to be
            scopes.add((resource, await self._namespace(resource, ref.namespace)))
        self._use(name, frozenset((resource.group_kind, namespace) for resource, namespace in scopes))
        await self.live.need(scopes, patience=self.settings.watch_patience)

    def _use(self, name: str, scopes: frozenset[tuple[GroupKind, str]]) -> None:
        """Notes what an application watches, and counts who watches what."""
        rt = self.runtime(name)
        if rt.scopes - scopes:
            rt.watched = None  # what is no longer used may end: whoever needs it again has to ask
        for scope in scopes - rt.scopes:
            self._users.setdefault(scope[0], Counter())[scope[1]] += 1
        for kind, space in rt.scopes - scopes:
            users = self._users[kind]
            users[space] -= 1
            if users[space] <= 0:
                del users[space]
        rt.scopes = scopes

    async def _namespace(self, resource: Resource, namespace: str) -> str:
        if not resource.namespaced or resource.group_kind in self.wide:
            return ""
        used = self._users.get(resource.group_kind) or Counter[str]()
        many = len(used) >= _WIDE_FROM and namespace not in used and not self.of.namespaces
        if many and await self.world.cluster.allowed("watch", resource):
            self.wide.add(resource.group_kind)
            return ""
        return namespace

    def release_unused(self) -> None:
        """Stops watches that no application needs."""
        in_use = {(kind, "" if kind in self.wide else space) for kind, used in self._users.items() for space in used}
        self.live.release(in_use | {(NAMESPACES.group_kind, "")})

    def forget(self, name: str) -> None:
        """The application is gone."""
        self.hold(name, ())
        self._use(name, frozenset())
        self.runtimes.pop(name, None)
        self.began.pop(name, None)
        self.signals.pop(name, None)
        self.strays.forget(name)
        self.release_unused()

    def is_rivals(self, app: Application, holder: str) -> bool:
        """Whether another application of the fleet tracks it: what it holds is not taken from it automatically."""
        rival = self.fleet.get(holder) if holder not in ("", app.name) else None
        return rival is not None and self.has(rival)
