"""Targets: the clusters that applications deploy to, each with a client, watches, slots and tasks of its own: none waits for another.

A cluster is opened for the first application that deploys to it and closed after the last one. Every pass and heal runs in the context of
its application's cluster; an application that moves is forgotten where it was, and nothing is deleted there.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from kilde.core.apps.application import Application
from kilde.core.apps.cluster_secrets import about_of, has_credentials
from kilde.core.apps.clusters import IN_CLUSTER, KnownCluster
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef
from kilde.engine.context import Context
from kilde.engine.fleet.clusters import ClusterSecrets
from kilde.engine.heal import Healer
from kilde.engine.passes import Passes
from kilde.engine.tasks import TaskOwner
from kilde.engine.view.live import Held, LiveView
from kilde.ports.cluster import Cluster

log = structlog.get_logger()

REFUSED = "Refused"  # the reason of a client that has nothing to enter its cluster with
_STRIKES = 2  # looks in a row that must fail until a cluster counts as gone
_BETWEEN_STRIKES = 1.0
_CLOSING = 5.0  # seconds that the end of a client may take
Changed = Callable[[Context, ObjectRef, Held | None, Held | None], None]


@dataclass(slots=True, eq=False)
class Target:
    """One cluster. `secret`: what it was opened by; None for the one of the Applications."""

    context: Context
    passes: Passes
    healer: Healer
    tasks: TaskOwner
    secret: Object | None = None
    applications: set[str] = field(default_factory=set)
    waiters: set[str] = field(
        default_factory=set
    )  # applications of other clusters that have waited for an object of it

    @property
    def concerned(self) -> frozenset[str]:
        """The applications that look again when it goes away, and when it is back."""
        return frozenset(self.applications | self.waiters)


class Targets:
    """All of them, and which application is in which. `changed` is told of every object that changes in one."""

    def __init__(self, home: Context, tasks: TaskOwner, secrets: ClusterSecrets, changed: Changed) -> None:
        self._tasks, self._secrets, self._changed = tasks, secrets, changed
        self.home = Target(home, Passes(home, self._cluster_of), Healer(home), tasks)
        self._others: dict[str, Target] = {}
        self._placed: dict[str, Target] = {}

    def all(self) -> tuple[Target, ...]:
        return (self.home, *self._others.values())

    def of(self, name: str) -> Target | None:
        """The cluster that an application was last looked at in."""
        return self._placed.get(name)

    def enter(self, name: str, app: Application | None) -> Target:
        """The cluster that a pass over the application is for; where it was elsewhere, that is forgotten first."""
        before = self._placed.get(name)
        if app is None:
            self._leave(name)
            return before or self.home
        target = self._target(app.destination.cluster.server)
        if target is not before:
            if before is not None:
                before.context.forget(name)
                before.passes.dependencies.forget(name)
                self._leave(name)
            self._placed[name] = target
            target.applications.add(name)
        return target

    def _leave(self, name: str) -> None:
        target = self._placed.pop(name, None)
        if target is not None:
            target.applications.discard(name)
            if not target.concerned and target is not self.home:
                self._drop(target)

    def _cluster_of(self, app: Application, name: str) -> tuple[KnownCluster, Cluster] | None:
        """The cluster of that name, or the application's own, opened; None where there is none. ClusterError where it does not answer."""
        known = app.destination.cluster
        if name:
            known, problem = self._secrets.clusters.find("", name)
            if problem:
                return None
        target = self._target(known.server)
        if target is not self._placed.get(app.name):
            target.waiters.add(app.name)
        target.context.require()
        return known, target.context.world.cluster

    def _target(self, server: str) -> Target:
        secret = self._secrets.secret(server) if server else None
        if secret is None or (server == IN_CLUSTER and not has_credentials(secret)):
            return self.home
        return self._others.get(server) or self._opened(server, secret)

    def _opened(self, server: str, secret: Object) -> Target:
        home, tasks = self.home.context, TaskOwner()
        known = next(one for one in self._secrets.clusters.known if one.server == server)
        cluster = home.world.reach(secret)
        cluster.interrupt("")
        live = LiveView(cluster, tasks, lambda *told: self._changed(target.context, *told))
        context = home.elsewhere(known, cluster, live, start=tasks.start)
        target = Target(context, Passes(context, self._cluster_of), Healer(context), tasks, secret)
        self._others[server] = target
        tasks.start(f"pulse of {known}", self._pulse(target))
        tasks.start(f"orphans of {known}", context.orphans.run())
        self._tasks.start(f"cluster {known}", self._keep(target))
        log.info("a cluster is opened", cluster=str(known), by=about_of(secret))
        return target

    async def _keep(self, target: Target) -> None:
        """A defect that one cluster meets ends that one's tasks, and nothing else: it is opened anew."""
        await target.tasks.failed.wait()
        kind = type(target.tasks.fault).__name__  # its words may hold values: only its kind is shown
        log.error("defect in a watch of a cluster", cluster=str(target.context.of), error=kind)
        self._drop(target, wake=target.context.settings.pulse)

    async def _pulse(self, target: Target) -> None:
        """Looks now and then whether the cluster answers: while it does not, nothing waits for it, and its applications say so."""
        ctx, strikes = target.context, 0
        while True:
            problem = await self._look(ctx)
            strikes = strikes + 1 if problem else 0
            if not 0 < strikes < _STRIKES and problem != ctx.problem:
                log.warning(
                    "a cluster answers again" if not problem else "a cluster does not answer",
                    cluster=str(ctx.of),
                    problem=problem,
                )
                if not problem:
                    self._drop(
                        target, wake=0.0
                    )  # what it was watched by may be dead without knowing it: all of that is made anew
                    return
                ctx.problem = problem
                ctx.world.cluster.interrupt(f"cluster {ctx.of}: {problem}")
                for name in target.concerned:
                    ctx.wake(name, 0.0)
            await ctx.world.clock.sleep(_BETWEEN_STRIKES if 0 < strikes < _STRIKES else ctx.settings.pulse)

    async def _look(self, ctx: Context) -> str:
        """Why the cluster cannot be worked with; "" where it can. What it refuses is its answer, unless it does not know us."""
        patience = ctx.settings.pulse_patience
        try:
            async with asyncio.timeout(patience):
                await ctx.world.cluster.pulse()
        except TimeoutError:
            return f"no answer from {ctx.of.server} within {patience:g} s"
        except ClusterError as error:
            told = str(error) if error.reason == REFUSED else error.what
            return told if error.status in (0, 401) else ""
        return ""

    def update(self) -> None:
        """The Secrets or `argocd-cm` have changed: what was opened by another Secret is opened anew, what is no longer there is left."""
        known = {one.server: one for one in self._secrets.clusters.known}
        self.home.context.of = self._secrets.clusters.home
        for server, target in list(self._others.items()):
            secret = self._secrets.secret(server)
            if secret is None or target.secret is None or secret.get("data") != target.secret.get("data"):
                self._drop(target, wake=0.0)
            else:
                target.context.of = known[server]

    def _drop(self, target: Target, *, wake: float | None = None) -> None:
        """Leaves a cluster. Its applications find that out at the beginning of their next pass."""
        server = target.context.of.server
        if self._others.get(server) is not target:
            return
        del self._others[server]
        target.context.problem = target.context.problem or "its connection is being made anew"
        target.context.world.cluster.interrupt(f"cluster {target.context.of}: {target.context.problem}")
        self._tasks.start(f"end of cluster {target.context.of}", self._ended(target))
        for other in self.all():
            other.passes.dependencies.awaited.lost(target.context.of.name)
        if wake is not None:
            for name in target.concerned:
                target.context.wake(name, wake)

    async def _ended(self, target: Target) -> None:
        await target.tasks.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await target.context.world.cluster.close()

    async def close(self) -> None:
        """Ends all of them but the one of the Applications."""
        others, self._others = list(self._others.values()), {}
        await asyncio.gather(*map(self._ended, others))
