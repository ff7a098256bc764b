"""Dependencies at work: a sync waits for what the application depends on, a deletion for those that depend on the application.

What is waited for wakes who waits. A sync that has begun is not held back, nor is one that only puts back what drifted.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from kilde.core.apply.outcome import Phase
from kilde.core.apply.words import BLOCKED
from kilde.core.apps.application import Application
from kilde.core.apps.clusters import KnownCluster
from kilde.core.apps.dependencies.graph import cycle_through, reaches
from kilde.core.apps.dependencies.reading import ANNOTATION, Dependency, depends_on
from kilde.core.apps.dependencies.waiting import application_lack, object_lack
from kilde.core.apps.dependencies.words import (
    HOLDING,
    OVERRIDE,
    REFUSED,
    WAITING,
    drawn_cycle,
    held_words,
    is_waiting_message,
    waiting_since,
    waiting_words,
)
from kilde.core.apps.sources import joined, read_joined
from kilde.core.apps.status import compared_to
from kilde.core.basics.errors import ClusterError, SourceError
from kilde.core.basics.moment import rfc3339
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.masking import redacted
from kilde.engine.context import Context
from kilde.engine.runtime import Running
from kilde.engine.sources.wishes import owned_refs
from kilde.engine.view.awaited import Awaited, Key
from kilde.ports.cluster import Cluster

log = structlog.get_logger()

_AGAIN = 15.0  # seconds: what no watch tells of is looked at again
_SOON = 0.05
ClusterOf = Callable[[Application, str], tuple[KnownCluster, Cluster] | None]


@dataclass(frozen=True, slots=True)
class Hold:
    """A sync is not begun: it waits (`condition` tells for what), or is refused. `again`: seconds until it is looked at unasked."""

    condition: tuple[str, str]
    refused: bool = False
    again: float | None = None


@dataclass(slots=True)
class _Look:
    """What one look at an application's dependencies found."""

    lacks: dict[str, str] = field(default_factory=dict)
    keys: set[Key] = field(default_factory=set)
    again: float | None = None


class Dependencies:
    """One for all applications of a cluster. `cluster_of` gives the cluster of a name, as an application sees it ("": its own).

    It gives None where there is none, and raises ClusterError where that one does not answer.
    """

    def __init__(self, ctx: Context, cluster_of: ClusterOf) -> None:
        self._ctx, self._cluster_of = ctx, cluster_of
        self._awaits: dict[str, frozenset[str]] = {}  # who waits → the applications it waits for
        self._since: dict[str, float] = {}
        self._unserved: set[str] = set()  # who waits for an object of a kind that is not served
        self.awaited = Awaited(ctx.start, lambda name: ctx.wake(name, _SOON))

    def application_changed(self, name: str) -> None:
        """A version of an application that was not seen before, or that it is gone: those who wait for it look again."""
        for waiter, names in self._awaits.items():
            if name in names:
                self._ctx.wake(waiter, _SOON)

    def kinds_changed(self) -> None:
        """Other kinds are served from now on."""
        for waiter in self._unserved:
            self._ctx.wake(waiter, _SOON)

    def forget(self, name: str) -> None:
        """The application waits for nothing (any more)."""
        self._awaits.pop(name, None)
        self._since.pop(name, None)
        self._unserved.discard(name)
        self.awaited.keep(name, ())

    def problems(self, app: Application) -> list[tuple[str, str]]:
        """Why what an application and its objects say of their dependencies cannot be: conditions, whether it is synced or not."""
        found = depends_on(app.annotations, app.home)
        wish = self._ctx.runtime(app.name).wish
        texts = [*found.problems, *(wish.ranks(app.destination.namespace).problems if wish is not None else ())]
        for item in found.items:
            if item.ready:
                from kilde.core.apps.dependencies.readiness import (
                    refusal,
                )  # the CEL engine is loaded for a condition only

                if why := refusal(item.ready):
                    texts.append(f"{ANNOTATION} item {item.item}: {why}")
        if way := cycle_through(app.name, self.edges) if found.items else ():
            known = self._awaits.get(app.name, frozenset())
            for other in {*way} - known - {app.name}:  # each of the cycle is to say so, whoever has closed it
                self._ctx.wake(other, _SOON)
            self._awaits[app.name] = known | {*way}
            texts.append(drawn_cycle(way, self._written))
        elif app.name not in self._since:
            self._awaits.pop(app.name, None)
        return [(REFUSED, text) for text in texts]

    def edges(self, name: str) -> Iterable[str]:
        """The applications that an application waits for, by name or by an object of theirs."""
        app = self._ctx.fleet.get(name)
        items = depends_on(app.annotations, app.home).items if app is not None else ()
        return dict.fromkeys(target for item in items if app is not None for target in self._targets(app, item))

    def _targets(self, app: Application, item: Dependency) -> list[str]:
        if item.ref is None:
            return [item.application]
        cluster = app.destination.cluster
        if item.cluster:
            cluster, _ = self._ctx.projects.clusters.find("", item.cluster)
        refs, near = (
            {item.ref, _placed(item.ref, app)},
            [other for other in self._ctx.fleet.all() if other.destination.cluster.server == cluster.server],
        )
        return [other.name for other in near if self._has(other, refs)]

    def _has(self, app: Application, refs: set[ObjectRef]) -> bool:
        rt = self._ctx.runtimes.get(app.name)
        if rt is not None and rt.wish is not None and not refs.isdisjoint(rt.wish.objects):
            return True
        return not refs.isdisjoint(owned_refs(app))

    def _written(self, name: str, target: str) -> str:
        """Where the edge from one application to another stands."""
        app = self._ctx.fleet.get(name)
        for item in depends_on(app.annotations, app.home).items if app is not None else ():
            if app is not None and target in self._targets(app, item):
                return f"{ANNOTATION} item {item.item}" + (f", {item.ref} of {target}" if item.ref is not None else "")
        return ANNOTATION

    async def hold(self, app: Application, running: Running) -> Hold | None:
        """Why an operation does not begin now; None: it may."""
        found = depends_on(app.annotations, app.home)
        operation = running.operation
        free = operation.dry_run or operation.undelayed or running.heal or self._has_begun(app, running)
        if not free and (problems := self.problems(app)):
            self.awaited.keep(app.name, ())
            return Hold((REFUSED, "; ".join(text for _, text in problems)), refused=True)
        if free or not found.items:
            self.forget(app.name)
            return None
        self._awaits[app.name] = frozenset(item.application for item in found.items if item.application)
        self._unserved.discard(app.name)
        look = _Look()
        for item in found.items:
            lack = await self._lack(app, item, look)
            if lack:
                look.lacks[str(item)] = lack
        self.awaited.keep(app.name, look.keys)
        if not look.lacks:
            self.forget(app.name)
            return None
        since = self._since.setdefault(app.name, waiting_since(app.status) or self._ctx.now())
        return Hold((WAITING, waiting_words(look.lacks, since)), again=look.again)

    def _has_begun(self, app: Application, running: Running) -> bool:
        if self._ctx.runtime(app.name).running is not None or running.retries:
            return True
        state = app.status.get("operationState")
        if not isinstance(state, dict) or state.get("phase") != Phase.RUNNING or running.since is None:
            return False
        message = str(state.get("message") or "")
        told = (state.get("syncResult") or {}).get("resources")
        return bool(told) or (not message.startswith(BLOCKED) and not is_waiting_message(message))

    async def _lack(self, app: Application, item: Dependency, look: _Look) -> str:
        if item.ref is None:
            other = self._ctx.fleet.get(item.application)
            newest = other is not None and await self._at_newest(other, look)
            return application_lack(other, item.until, at_newest=newest)
        try:
            if not item.cluster:
                return await self._object(app, item, look)
            async with self._ctx.without_slot():
                return await self._object(app, item, look)
        except ClusterError as error:
            look.again = _AGAIN
            return f"cannot be looked at: {error}"

    async def _object(self, app: Application, item: Dependency, look: _Look) -> str:
        assert item.ref is not None
        found = self._cluster_of(app, item.cluster)
        if found is None:
            look.again = _AGAIN
            return f"is on a cluster that is not known: {item.cluster}"
        known, cluster = found
        resource = (await cluster.discovery()).resource(item.ref.group, item.ref.kind)
        if resource is None:
            self._unserved.add(app.name)
            look.again = _AGAIN
            await cluster.discovery(refresh=True)
            return "is of a kind that the cluster does not serve"
        ref = _placed(item.ref, app) if resource.namespaced else replace(item.ref, namespace="")
        if resource.namespaced and (why := self._ctx.projects.hides(app, known, ref.namespace)):
            return why
        if why := known.unmanaged(ref.kind, ref.namespace, ref.name):
            return f"cannot be looked at: {why}"
        key = (item.cluster, ref)
        look.keys.add(key)
        body = await self.awaited.look(app.name, key, cluster, resource, patience=self._ctx.settings.watch_patience)
        return redacted(object_lack(body, item, self._ctx.surveyor.assess), body)

    async def _at_newest(self, app: Application, look: _Look) -> bool:
        """Whether an application's status is of what its spec and its repositories say by now, or of what reads the same."""
        ctx = self._ctx
        told = app.status.get("sync") or {}
        if app.skipped:
            return True
        if told.get("comparedTo") != compared_to(app):
            return False
        try:
            for one in app.sources:
                await ctx.repositories.ensure(one.url, app.project)  # its own pass may come later, and change nothing
            revisions = tuple(
                [
                    await ctx.world.sources.resolve(one.url, one.target_revision or "HEAD", tag_prefix=one.tag_prefix)
                    for one in app.sources
                ]
            )
        except SourceError:
            look.again = _AGAIN
            return told.get("status") == "Unknown"  # as its status says
        if read_joined(told) == joined(revisions):
            return True
        rt = ctx.runtimes.get(app.name)
        if rt is None or rt.wish is None or read_joined(told) != rt.wish.sha or len(rt.memories) != len(app.sources):
            return told.get("status") == "Unknown"
        return all([await ctx.renderer.still_true(memory, revisions) for memory in rt.memories])

    async def holds_deletion(self, app: Application) -> bool:
        """Whether an application that is being deleted has to wait for those that depend on it; says so on it."""
        going, staying = self._dependants(app)
        self._awaits[app.name] = frozenset((*going, *staying))
        held = bool(going or staying) and app.annotations.get(OVERRIDE) != "true"
        if not held:
            self.forget(app.name)
        await self._tell_held(app, held_words(going, staying) if held else "")
        return held

    def _dependants(self, app: Application) -> tuple[list[str], list[str]]:
        """Those that wait for the application: that are being deleted too, and that stay. A cycle holds nobody."""
        going: list[str] = []
        staying: list[str] = []
        for other in self._ctx.fleet.all():
            if other.name == app.name or ANNOTATION not in other.annotations or app.name not in self.edges(other.name):
                continue
            if not reaches(app.name, other.name, self.edges):
                (going if other.deleting else staying).append(other.name)
        return sorted(going), sorted(staying)

    async def _tell_held(self, app: Application, text: str) -> None:
        conditions: list[Mapping[str, Any]] = list(app.status.get("conditions") or ())
        if [text] == [c.get("message") for c in conditions if c.get("type") == HOLDING] or (
            not text and all(c.get("type") != HOLDING for c in conditions)
        ):
            return

        def build(newest: Application) -> dict[str, Any]:
            kept = [c for c in newest.status.get("conditions") or () if c.get("type") != HOLDING]
            if text:
                kept.append({"type": HOLDING, "message": text, "lastTransitionTime": rfc3339(self._ctx.now())})
            status = {key: value for key, value in newest.status.items() if key != "conditions"}
            return {**status, "conditions": kept} if kept else status

        if text:
            log.info("deletion held", application=app.name, reason=text)
        await self._ctx.reporter.write(app.name, build)


def _placed(ref: ObjectRef, app: Application) -> ObjectRef:
    return ref if ref.namespace else replace(ref, namespace=app.destination.namespace)
