"""The controller: puts the engine's parts together, tells each change to those it concerns, and runs until stopped."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from kilde.core.access.accounts import read_impersonation
from kilde.core.access.kind_filter import read_kind_filter
from kilde.core.access.namespaces import read_namespaces
from kilde.core.apps.application import Application
from kilde.core.apps.customizations import read_customizations
from kilde.core.apps.source_blocks import check_scheme
from kilde.core.basics.errors import ClusterError, SourceError
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.tracking import Tracking, read_tracking
from kilde.core.render.kustomize.settings import read_kustomize_settings
from kilde.core.sets.policy import CONFIG_MAP as PARAMETERS
from kilde.core.source.chart_index import is_pinned
from kilde.core.source.chart_place import parse_place
from kilde.core.source.credentials import named_repository, scope_of
from kilde.engine.context import Context
from kilde.engine.deletion.budgets import DeletionBudgets
from kilde.engine.deletion.keeping import forget_old
from kilde.engine.fleet.applications import Config, Fleet
from kilde.engine.fleet.clusters import ClusterSecrets
from kilde.engine.fleet.projects import Projects
from kilde.engine.fleet.targets import Targets
from kilde.engine.guard import Guard
from kilde.engine.heal import may_heal
from kilde.engine.queue import KeyedQueue
from kilde.engine.records.accounts import Accounts
from kilde.engine.records.reviews import Reviews
from kilde.engine.report import Reporter
from kilde.engine.sets.controller import SetsController
from kilde.engine.settings import EngineSettings
from kilde.engine.sources.commits import Commits
from kilde.engine.sources.rendering import Renderer
from kilde.engine.sources.repositories import Repositories
from kilde.engine.sources.signatures import Signatures
from kilde.engine.tasks import TaskOwner
from kilde.engine.view.live import Held, LiveView
from kilde.engine.view.orphans import Orphans
from kilde.engine.view.schemas import Schemas
from kilde.engine.view.survey import Surveyor
from kilde.engine.world import World
from kilde.ports.sources import Credentials

log = structlog.get_logger()

_STATUS_PAUSE = 0.1  # changes of one application within a tenth of a second make one pass
_CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
ChooseCredentials = Callable[[str, str, Config], Credentials]  # URL, project


class Controller:
    """Keeps every Application of one namespace in step. `run` lasts until it is cancelled."""

    def __init__(
        self,
        world: World,
        settings: EngineSettings,
        choose: ChooseCredentials,
        report: Callable[..., Reporter] = Reporter,
    ) -> None:
        self._world, self._settings = world, settings
        self._tasks = TaskOwner()
        self._scopes: dict[tuple[str, str], str] = {}
        self._following: asyncio.Task[None] | None = None
        cluster, clock = world.cluster, world.clock
        repositories = Repositories(
            world.sources,
            clock,
            poll=settings.poll,
            credentials=lambda url, project: choose(url, project, config),
            scope=self._scope,
            idle=self._idle,
            on_fetched=self._fetched,
        )
        fleet = Fleet(cluster, settings.namespace, self._application_changed)
        config = Config(cluster, settings.namespace, self._config_changed)
        live = LiveView(cluster, self._tasks, lambda *told: self._object_changed(self.context, *told))
        schemas = Schemas(cluster)
        projects = Projects(cluster, settings.namespace, clock, self._project_changed)
        reporter = report(cluster, fleet, clock, manager=settings.manager)
        accounts = Accounts(world.records, clock, home=settings.namespace)
        self.context = Context(
            world=world,
            home=cluster,
            settings=settings,
            fleet=fleet,
            config=config,
            live=live,
            repositories=repositories,
            renderer=self._renderer(repositories, projects, config),
            schemas=schemas,
            projects=projects,
            signatures=Signatures(world.sources, projects, config),
            surveyor=Surveyor(live, schemas, projects),
            reporter=reporter,
            accounts=accounts,
            deletion_budgets=self._budgets(live, projects, reporter, accounts),
            orphans=self._orphans(fleet, projects, live),
            wake=self._wake,
            heal=self._to_heal,
            start=self._tasks.start,
            slots=asyncio.Semaphore(settings.parallel_passes),
        )
        self._clusters = ClusterSecrets(cluster, settings.namespace, self._clusters_changed)
        self.targets = Targets(self.context, self._tasks, self._clusters, self._object_changed)
        self._queue = KeyedQueue(self._tasks, self._pass, name="pass")
        self._heals = KeyedQueue(self._tasks, self._heal, name="heal")
        self._reviews = Reviews(world, settings.namespace, config, self._tasks.start)
        accounts.reviewers, accounts.deployed = self._reviews.reviewers, self._reviews.note
        self._commits = Commits(self.context, self._queue)
        self._guard = Guard(self.context)
        self.sets = SetsController(self.context, self._tasks, self._clusters)
        fleet.observed = self._application_observed
        self.ready = asyncio.Event()

    def _budgets(self, live: LiveView, projects: Projects, reporter: Reporter, accounts: Accounts) -> DeletionBudgets:
        return DeletionBudgets(
            cluster=self._world.cluster,
            clock=self._world.clock,
            live=live,
            tracked=lambda: sum(target.context.live.tracked for target in self.targets.all()),
            projects=projects,
            reporter=reporter,
            accounts=accounts,
            settings=self._settings,
            undo=self._world.undo,
        )

    def _renderer(self, repositories: Repositories, projects: Projects, config: Config) -> Renderer:
        world = self._world
        return Renderer(
            world.sources,
            fetch=lambda project, url: repositories.ensure(url, project),
            allow_remote=projects.allows_remote,
            allow_chart=projects.allows_chart,
            named=lambda project, name: named_repository(name, config.secrets, project),
            programs=world.programs,
            download=self._download if world.downloads is not None else None,
        )

    def _orphans(self, fleet: Fleet, projects: Projects, live: LiveView) -> Orphans:
        return Orphans(
            cluster=self._world.cluster,
            clock=self._world.clock,
            fleet=fleet,
            projects=projects,
            tracking=lambda: live.tracking,
            managed=lambda name: rt.held_refs if (rt := self.context.runtimes.get(name)) else frozenset(),
            start=self._tasks.start,
            wake=self._wake,
        )

    async def run(self) -> None:
        """Runs until cancelled, or until a part of it fails (then raises that fault)."""
        ctx = self.context
        ctx.cut_off = ctx.accounts.cut_off()
        if ctx.cut_off:
            log.warning("operations were interrupted at the last stop", applications=sorted(ctx.cut_off))
        async with self._tasks as tasks:
            tasks.start("secrets", ctx.config.follow_secrets())
            tasks.start("config maps", ctx.config.follow_config_maps())
            tasks.start("cluster secrets", self._clusters.follow())
            tasks.start("projects", ctx.projects.follow())
            tasks.start("guard", self._guard.follow())
            if not self._settings.shadow:
                tasks.start("guard's entries", self._guard.keep())
            tasks.start("start", self._start())
            await tasks.failed.wait()
            self._queue.close()
            self._heals.close()
            self.sets.close()
            if tasks.fault is not None:
                raise tasks.fault

    async def _start(self) -> None:
        ctx = self.context
        await ctx.config.synced.wait()
        await ctx.projects.synced.wait()
        await self._clusters.known.wait()
        self._follow_applications()
        await ctx.fleet.synced.wait()
        for name in ctx.cut_off.keys() - set(ctx.fleet.names()):
            ctx.close_cut_off(name)  # of applications that are gone
        if not self._settings.shadow:
            self.sets.start()
            self._tasks.start("reviews", self._reviews.run())
        self._tasks.start("orphans", ctx.orphans.run())
        self.ready.set()
        self._tasks.start("resync", self._resync())
        await ctx.repositories.run()

    def _follow_applications(self, *, again: bool = False) -> None:
        """Begins; or, `again`, begins anew where Applications may be in other namespaces by now."""
        fleet, before = self.context.fleet, self._following
        written = str(self.context.config.data(PARAMETERS).get("application.namespaces") or "")
        others = read_namespaces(self._settings.application_namespaces or written)
        if again and (before is None or others == fleet.others):
            return
        if before is not None:
            before.cancel()
            fleet.synced.clear()
        fleet.others = others
        self._following = self._tasks.start("applications", fleet.run())
        self.sets.guests_changed()

    async def close(self) -> None:
        """Ends what outlives the tasks."""
        self._queue.close()
        self._heals.close()
        self.sets.close()
        await self.targets.close()
        await self._tasks.stop()
        self.context.renderer.close()

    async def _download(self, url: str) -> bytes:
        """A file of values. The protocols that are allowed are in argocd-cm."""
        check_scheme(url, self.context.config.data("argocd-cm"))
        assert self._world.downloads is not None
        return await self._world.downloads.get(url)

    async def push(self, urls: frozenset[str]) -> int:
        """A push to these repositories was told: fetch them now, then look at their applications. Gives how many were known."""
        known = [url for url in self.context.repositories.known() if url in urls]
        for url in known:
            self._tasks.start(f"push {url}", self._fetch_now(url))
        return len(known)

    async def _fetch_now(self, url: str) -> None:
        try:
            await self.context.repositories.pushed(url)
        except SourceError as error:
            log.warning("fetch after push failed", error=str(error))
        self._fetched(url)

    def _fetched(self, url: str) -> None:
        self._tasks.start(f"after the fetch of {url}", self._commits.look(url))
        self._tasks.start(f"sets after the fetch of {url}", self.sets.fetched(url))

    def _scope(self, url: str, project: str) -> str:
        """Asked for each application at each commit: worked out once for the Secrets there are."""
        if (url, project) not in self._scopes:
            self._scopes[url, project] = scope_of(url, self.context.config.secrets, project)
        return self._scopes[url, project]

    def _idle(self, url: str) -> bool:
        """Whether polling a chart repository tells nothing new: all who use it want a certain version, and have it."""
        users = [(app, source) for app in self.context.fleet.all() for source in app.sources if source.url == url]
        return bool(users and parse_place(url)) and all(
            is_pinned(source.target_revision) and not self.context.runtime(app.name).render_error
            for app, source in users
        )

    def _config_changed(self) -> None:
        self._follow_applications(again=True)
        self.sets.configured(self.context.config.data(PARAMETERS))
        self._scopes.clear()
        data = self.context.config.data("argocd-cm")
        tracking, kinds = read_tracking(data), read_kind_filter(data)
        self._clusters.configured(data)
        if tracking != self.context.live.tracking or kinds != self.context.projects.kinds:
            self.context.projects.kinds = kinds
            self.retrack(tracking)
        self.context.projects.impersonation = read_impersonation(data)
        if (kustomize := read_kustomize_settings(data)) != self.context.renderer.kustomize:
            self.context.renderer.kustomize = kustomize  # renders remember by which they were made
            self._judge_anew(self.context.runtimes)
        customizations = read_customizations(data)
        if customizations != self.context.surveyor.customizations:
            for target in self.targets.all():
                target.context.surveyor.customizations = customizations
            for problem in customizations.problems:
                log.warning("argocd-cm cannot be read", problem=problem)
            self._judge_anew(self.context.runtimes)
        for app in self.context.fleet.all():
            failed = any(self.context.repositories.error(source.url, app.project) for source in app.sources)
            if failed or self.context.signatures.demanded(app):
                self._queue.add(app.name)

    def retrack(self, tracking: Tracking) -> None:
        """Objects carry other marks from now on, or are others: all of them are listed anew."""
        for target in self.targets.all():
            target.context.live.retrack(tracking)
        for rt in self.context.runtimes.values():
            rt.wish = rt.watched = None
        self._judge_anew(self.context.runtimes)

    def _judge_anew(self, names: Iterable[str]) -> None:
        """Every object of these applications."""
        for name in list(names):
            self.context.runtime(name).judged.clear()
            self._queue.add(name)

    def _wake(self, name: str, delay: float) -> None:
        self._queue.add(name, delay=delay)

    def _clusters_changed(self) -> None:
        """A cluster Secret, or what argocd-cm says of clusters."""
        ctx, clusters = self.context, self._clusters.clusters
        if clusters != ctx.projects.clusters:
            ctx.projects.clusters = clusters
            ctx.fleet.locate(clusters)
            self._judge_anew(ctx.fleet.names())  # what a project says of a cluster may be another thing now
            self.sets.clusters_changed()
        self.targets.update()

    def _project_changed(self, project: str) -> None:
        self._look_for_orphans()
        self._judge_anew(app.name for app in self.context.fleet.all() if app.project == project)
        self.sets.project_changed()

    def _application_changed(self, name: str, app: Application | None) -> None:
        signal = self.context.signals.get(name)
        if signal is not None:
            signal.set()
        self._queue.add(name)
        self._look_for_orphans()

    def _look_for_orphans(self) -> None:
        for target in self.targets.all():
            target.context.orphans.look()

    def _application_observed(self, name: str) -> None:
        """A version of an Application that we had not seen, also one of our own writing; or that it is gone."""
        self.sets.application_observed(name)
        for target in self.targets.all():
            target.passes.dependencies.application_changed(name)

    def _object_changed(self, ctx: Context, ref: ObjectRef, before: Held | None, now: Held | None) -> None:
        names = set(ctx.wanted_by.get(ref, ()))
        names.update(app for held in (before, now) if held is not None for app, _ in held.places)
        if ref.group_kind == _CRD:
            self._tasks.start("kinds changed", self._kinds_changed(ctx))
        for name in names:
            app, rt = ctx.fleet.get(name), ctx.runtimes.get(name)
            signal = ctx.signals.get(name)
            if signal is not None:
                signal.set()
            if app is None or rt is None or not ctx.has(app):
                continue
            window = ctx.window(name)
            if window is not None:
                self._guard.noted(ctx, window, name, ref)
            elif rt.wish is not None and ref in rt.wish.objects and may_heal(app, rt):
                self._to_heal(name, ref)
            self._queue.add(name, delay=_STATUS_PAUSE)

    def _to_heal(self, name: str, ref: ObjectRef) -> None:
        if not self._settings.shadow:
            self._heals.add((name, ref))

    async def _pass(self, name: str) -> float | None:
        return await self.targets.enter(name, self.context.fleet.get(name)).passes.run(name)

    async def _heal(self, key: tuple[str, ObjectRef]) -> float | None:
        name, ref = key
        target = self.targets.of(name)
        if target is None:
            return None
        try:
            return await target.healer.heal(name, ref)
        except ClusterError as error:
            log.warning("heal cut off by the cluster", application=name, object=str(ref), error=str(error))
            return 1.0
        except Exception as error:  # noqa: BLE001 - as with passes: one object must not stop the others
            fault = type(error).__name__  # its words and its traceback may hold values: only its kind is shown
            log.error("defect in a heal", application=name, object=str(ref), error=fault)  # noqa: TRY400
            self._queue.add(name)  # the pass meets the same, and tells of it
            return None

    async def _kinds_changed(self, ctx: Context) -> None:
        ctx.schemas.forget()
        try:
            await ctx.world.cluster.discovery(refresh=True)
        except ClusterError as error:
            log.warning("discovery failed", error=str(error))
        for target in self.targets.all():
            target.passes.dependencies.kinds_changed()

    async def _resync(self) -> None:
        """Now and then every application is looked at, whatever the watches said; fights that ended are forgotten."""
        clock = self._world.clock
        due = clock.monotonic() + self._settings.resync
        while True:
            await clock.sleep(15.0)
            for name, rt in list(self.context.runtimes.items()):
                if rt.fights:
                    had = len(rt.fighting)
                    self.targets.home.healer.calm(rt)
                    if len(rt.fighting) != had:
                        self._queue.add(name)
            if clock.monotonic() >= due:
                due = clock.monotonic() + self._settings.resync
                forget_old(self.context)
                for number, name in enumerate(self.context.fleet.names()):
                    self._queue.add(name, delay=0.02 * (number + 1))
