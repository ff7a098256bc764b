"""The controller: puts the engine's parts together, tells each change to those it concerns, and runs until stopped."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from kilde.core.access.namespaces import read_namespaces
from kilde.core.apps.application import Application
from kilde.core.basics.errors import ClusterError, SourceError
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.tracking import Tracking
from kilde.core.sets.policy import CONFIG_MAP as PARAMETERS
from kilde.engine.assembling import ChooseCredentials, Ears, assembled
from kilde.engine.context import Context
from kilde.engine.deletion.keeping import forget_old
from kilde.engine.fleet.clusters import ClusterSecrets
from kilde.engine.fleet.configured import configure, retrack
from kilde.engine.fleet.targets import Targets
from kilde.engine.guard import Guard
from kilde.engine.heal import may_heal
from kilde.engine.queue import KeyedQueue
from kilde.engine.records.reviews import Reviews
from kilde.engine.report import Reporter
from kilde.engine.sets.controller import SetsController
from kilde.engine.settings import EngineSettings
from kilde.engine.sources.commits import Commits
from kilde.engine.tasks import TaskOwner
from kilde.engine.view.live import Held
from kilde.engine.world import World

log = structlog.get_logger()

_STATUS_PAUSE = 0.1  # changes of one application within a tenth of a second make one pass
_CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")


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
        self._following: asyncio.Task[None] | None = None
        ears = Ears(
            application=self._application_changed,
            config=self._config_changed,
            project=self._project_changed,
            object=self._object_changed,
            fetched=self._fetched,
            wake=self._wake,
            heal=self._to_heal,
            tracked=lambda: sum(context.live.tracked for context in self._contexts()),
        )
        self.context = assembled(world, settings, self._tasks, ears, choose=choose, report=report)
        self._clusters = ClusterSecrets(world.cluster, settings.namespace, self._clusters_changed)
        self.targets = Targets(self.context, self._tasks, self._clusters, self._object_changed)
        self._queue = KeyedQueue(self._tasks, self._pass, name="pass")
        self._heals = KeyedQueue(self._tasks, self._heal, name="heal")
        self._reviews = Reviews(world, settings.namespace, self.context.config, self._tasks.start)
        self.context.accounts.reviewers, self.context.accounts.deployed = self._reviews.reviewers, self._reviews.note
        self._commits = Commits(self.context, self._queue)
        self._guard = Guard(self.context)
        self.sets = SetsController(self.context, self._tasks, self._clusters)
        self.context.fleet.observed = self._application_observed
        self.ready = asyncio.Event()

    def _contexts(self) -> list[Context]:
        return [target.context for target in self.targets.all()]

    async def run(self) -> None:
        """Runs until cancelled, or until a part of it fails (then raises that fault)."""
        ctx = self.context
        ctx.cut_off = ctx.accounts.cut_off()
        ctx.began = {name: cut.newest for name, cut in ctx.cut_off.items() if cut.newest is not None}
        if interrupted := sorted(name for name, cut in ctx.cut_off.items() if cut.numbers):
            log.warning("operations were interrupted at the last stop", applications=interrupted)
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

    def _config_changed(self) -> None:
        self._follow_applications(again=True)
        self.sets.configured(self.context.config.data(PARAMETERS))
        data = self.context.config.data("argocd-cm")
        self._clusters.configured(data)
        if configure(self.context, self._contexts(), data):
            self._judge_anew(self.context.runtimes)
        for app in self.context.fleet.all():
            failed = any(self.context.repositories.error(source.url, app.project) for source in app.sources)
            if failed or self.context.signatures.demanded(app):
                self._queue.add(app.name)

    def retrack(self, tracking: Tracking) -> None:
        """Objects carry other marks from now on, or are others: all of them are listed anew."""
        retrack(self.context, self._contexts(), tracking)
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
        for context in self._contexts():
            context.orphans.look()

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
