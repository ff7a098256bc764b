"""Orphans, engine side: what is in the namespaces of applications whose project asks about orphaned resources.

A part of its own beside the live view: it holds the metadata of objects that nobody tracks, watches only the namespaces that a project asks
about, and asks for a pass over an application only when its count changes. `orphans_now` is the same look, taken once.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any

import msgspec
import structlog

from kilde.core.access.kind_filter import KindFilter
from kilde.core.access.orphans import Seen, orphan_conditions, orphans, seen_of
from kilde.core.access.project import Project
from kilde.core.apps.application import IN_CLUSTER, Application
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.tracking import Tracking
from kilde.engine.fleet.applications import Fleet
from kilde.engine.fleet.projects import Projects
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Discovery, EventType, Resource

log = structlog.get_logger()

_SETTLE = 0.5  # seconds: changes within it are counted together
_RENEW = 30.0  # seconds: kinds that come later, and objects that applications have come to want
_WIDE_FROM = 8  # namespaces: beyond it one watch of all of them is lighter for everybody


class _Head(msgspec.Struct, gc=False):
    metadata: dict[str, Any]


_heads = msgspec.json.Decoder(_Head)
_Key = tuple[GroupKind, str]  # a kind, and the namespace that is watched ("" for all)


class Orphans:
    """The orphans of every application whose project asks. `run` lasts for ever and does nothing while none does."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        clock: Clock,
        fleet: Fleet,
        projects: Projects,
        tracking: Callable[[], Tracking],
        managed: Callable[[str], Collection[ObjectRef]],
        server: str = IN_CLUSTER,
        start: Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]],
        wake: Callable[[str, float], None],
    ) -> None:
        self._cluster, self._clock, self._fleet, self._projects = cluster, clock, fleet, projects
        self._server = server
        self._tracking, self._managed, self._start, self._wake = tracking, managed, start, wake
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        self._there: dict[str, dict[ObjectRef, Seen]] = {}  # by namespace, those that are asked about
        self._known: set[_Key] = set()  # listed once
        self._stamps: dict[str, int] = {}  # how often something changed in a namespace
        self._found: dict[str, tuple[ObjectRef, ...]] = {}
        self._found_for: dict[str, tuple[object, ...]] = {}  # what that was worked out from
        self._told: dict[str, int] = {}
        self._changed = asyncio.Event()

    def conditions(self, app: Application) -> list[tuple[str, str]]:
        """What the application tells of its orphans, as they were counted last."""
        project = self._projects.of(app)
        return orphan_conditions(project.orphans if project else None, self._told.get(app.name, 0))

    def look(self) -> None:
        """Something changed that may matter: looked at soon."""
        self._changed.set()

    async def run(self) -> None:
        """Follows for ever."""
        while True:
            asked = self._asked()
            try:
                spaces = {app.destination.namespace for app, _ in asked}
                self._follow_only(spaces, self._kinds(await self._cluster.discovery()) if spaces else ())
            except ClusterError as error:
                log.warning("orphans are not looked for", error=str(error))
            if self._tasks.keys() <= self._known:  # until all kinds are known a child may be there without its owner
                self._count(asked)
            self._changed.clear()
            try:
                async with asyncio.timeout(_RENEW if asked else None):
                    await self._changed.wait()
            except TimeoutError:
                continue
            await self._clock.sleep(_SETTLE)

    def _kinds(self, discovery: Discovery) -> tuple[Resource, ...]:
        return _kinds(discovery, self._projects.kinds, self._server)

    def _asked(self) -> list[tuple[Application, Project]]:
        found = [(app, self._projects.of(app)) for app in self._fleet.all()]
        return [
            (app, project)
            for app, project in found
            if project is not None and project.orphans is not None and not app.deleting and self._is_here(app)
        ]

    def _is_here(self, app: Application) -> bool:
        """Whether its objects are in this cluster, in a namespace of its own choice."""
        return bool(app.destination.namespace) and app.destination.cluster.server == self._server

    def elsewhere(
        self,
        cluster: Cluster,
        server: str,
        tracking: Callable[[], Tracking],
        start: Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> "Orphans":
        """The same for another cluster."""
        return Orphans(
            cluster=cluster,
            clock=self._clock,
            fleet=self._fleet,
            projects=self._projects,
            tracking=tracking,
            managed=self._managed,
            server=server,
            start=start,
            wake=self._wake,
        )

    def _follow_only(self, namespaces: set[str], kinds: Iterable[Resource]) -> None:
        """Watches these namespaces and no others."""
        wide = len(namespaces) > _WIDE_FROM
        wanted = {(kind.group_kind, space): kind for kind in kinds for space in ([""] if wide else namespaces)}
        anew = wide and not namespaces <= self._there.keys()  # what is in a new one was passed over until now
        for key in [key for key in self._tasks if anew or key not in wanted]:
            self._tasks.pop(key).cancel()
            self._known.discard(key)
        self._there = {
            space: {
                ref: seen for ref, seen in self._there.get(space, {}).items() if _key(ref, wide=wide) in self._tasks
            }
            for space in namespaces
        }
        for key, kind in wanted.items():
            if key not in self._tasks:
                self._tasks[key] = self._start(f"orphans: {kind.plural} {key[1]}", self._follow(kind, key))

    async def _follow(self, resource: Resource, key: _Key) -> None:
        listed: set[tuple[str, str]] = set()
        async for event in self._cluster.watch(resource, key[1], metadata_only=True):
            place = (event.namespace, event.name)
            if event.type is EventType.SYNCED:
                self._forget_others(key, listed)
            elif event.type is EventType.BROKEN:
                listed = set()  # a kind that may not be read is not counted, and does not keep the others from it
            elif event.namespace in self._there:
                if event.type is EventType.LISTED:
                    listed.add(place)
                ref = ObjectRef(resource.group, resource.kind, *place)
                if event.type is EventType.DELETED:
                    self._there[event.namespace].pop(ref, None)
                else:
                    self._there[event.namespace][ref] = _seen(ref, event.raw, self._tracking())
            if event.type in (EventType.SYNCED, EventType.BROKEN):
                listed = set()
                self._known.add(key)
            if event.type is not EventType.LISTED:
                for space in [key[1]] if key[1] else list(self._there):
                    self._stamps[space] = self._stamps.get(space, 0) + 1
                self._changed.set()

    def _forget_others(self, key: _Key, listed: set[tuple[str, str]]) -> None:
        for space in [key[1]] if key[1] else list(self._there):
            here = self._there.get(space, {})
            for ref in [ref for ref in here if ref.group_kind == key[0] and (ref.namespace, ref.name) not in listed]:
                del here[ref]

    def _count(self, asked: Iterable[tuple[Application, Project]]) -> None:
        """Counts where something has changed since."""
        found, names, tracking = {}, frozenset(self._fleet.names()), self._tracking()
        for app, project in asked:
            space, managed = app.destination.namespace, self._managed(app.name)
            of = (space, self._stamps.get(space, 0), project, managed, names, tracking)
            if self._found_for.get(app.name) != of:
                there = self._there.get(space, {}).values()
                self._found[app.name] = _orphans_of(app, project, there, managed, names.__contains__)
                self._found_for[app.name] = of
            found[app.name] = self._found[app.name]
        self._found = found
        self._found_for = {name: self._found_for[name] for name in found}
        before, self._told = self._told, {name: len(refs) for name, refs in found.items()}
        for name in before.keys() | self._told.keys():
            if before.get(name, 0) != self._told.get(name, 0):
                self._wake(name, 0.0)


async def orphans_now(
    cluster: Cluster,
    app: Application,
    project: Project,
    *,
    managed: Collection[ObjectRef],
    is_app: Callable[[str], bool],
    tracking: Tracking,
    kinds: KindFilter,
) -> tuple[ObjectRef, ...]:
    """The orphans of one application, listed once. Kinds that may not be read are passed over. Raises ClusterError."""
    space = app.destination.namespace
    there: list[Seen] = []
    for kind in _kinds(await cluster.discovery(), kinds, app.destination.cluster.server):
        try:
            listed = await cluster.list(kind, space, metadata_only=True)
        except ClusterError as error:
            if error.status not in (403, 404, 405):
                raise
            continue
        for raw in listed:
            name = str(_heads.decode(raw).metadata.get("name", ""))
            there.append(_seen(ObjectRef(kind.group, kind.kind, space, name), raw, tracking))
    return _orphans_of(app, project, there, managed, is_app)


def _orphans_of(
    app: Application,
    project: Project,
    there: Iterable[Seen],
    managed: Collection[ObjectRef],
    is_app: Callable[[str], bool],
) -> tuple[ObjectRef, ...]:
    def permits(ref: ObjectRef) -> bool:
        return project.permits_kind(ref.group, ref.kind, ref.name, namespaced=True)

    if project.orphans is None or not app.destination.namespace:
        return ()
    return orphans(project.orphans, there, managed=managed, is_app=is_app, permits=permits)


def _key(ref: ObjectRef, *, wide: bool) -> _Key:
    return ref.group_kind, "" if wide else ref.namespace


def _kinds(discovery: Discovery, kinds: KindFilter, server: str) -> tuple[Resource, ...]:
    """The namespaced kinds whose objects can be orphans; one of two groups counts twice, as with Argo CD."""
    return tuple(
        kind
        for kind in discovery.all()
        if kind.namespaced
        and ({"list", "watch"} <= kind.verbs or not kind.verbs)
        and not kinds.hides(server, kind.group, kind.kind)
    )


def _seen(ref: ObjectRef, raw: bytes, tracking: Tracking) -> Seen:
    meta = _heads.decode(raw).metadata
    return seen_of(ref, meta, tracking.owner(meta, ref))
