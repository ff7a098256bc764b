"""The cluster as it would be after Flux was taken over, to be read alone: a shadow works in it while Flux goes on in the real one.

There are the Applications and the project that a take-over would write, with what Flux says now as their status; the objects that Flux
has applied bear the marks and field managers that they would get. Everything else is as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace

import msgspec
import structlog

from kilde.core.apps.application import Application
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.values import Object
from kilde.core.migrate.flux import FluxInstallation, FluxMove, movable, stays
from kilde.core.migrate.flux.reading import inventory, place
from kilde.core.migrate.flux.saying import heard, is_behind, said, silence
from kilde.core.migrate.shadow import AppShadow
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import Tracking
from kilde.engine.fleet.applications import APPLICATIONS
from kilde.engine.fleet.projects import PROJECTS
from kilde.engine.migration.flux.handover import FluxHandover, handover_for
from kilde.engine.migration.flux.moving import careful
from kilde.engine.migration.flux.reading import kinds_that_count, read_flux
from kilde.engine.migration.shadow import ReadOnly, Voice
from kilde.engine.tasks import TaskOwner
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent

log = structlog.get_logger()

_PAUSE = 0.5  # seconds between two looks at Flux
_MADE = (APPLICATIONS, PROJECTS)
_decode = msgspec.json.Decoder(dict).decode
_encode = msgspec.json.encode


class AfterFlux(ReadOnly):
    """For the Flux of one cluster, and the Applications of one namespace. `look` comes first; `follow` keeps up with Flux."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str) -> None:
        super().__init__(cluster)
        self._clock, self._namespace = clock, namespace
        self._hands: FluxHandover | None = None
        self._moves: dict[ObjectRef, FluxMove] = {}  # of each object of Flux's inventories
        self._made: dict[str, dict[str, Object]] = {one.kind: {} for one in _MADE}  # by kind and name
        self._silent: dict[str, str] = {}
        self._left: tuple[AppShadow, ...] = ()
        self._version = 0
        self._changed = asyncio.Event()  # another one after each look
        self.voice = Voice(system="Flux", silence=self._silence, heard=heard)
        self.retrack: Callable[[Tracking], None] = lambda tracking: None  # is told when other objects bear marks

    @property
    def left(self) -> tuple[AppShadow, ...]:
        """What of Flux becomes no Application of this cluster, and why."""
        return self._left

    def _silence(self, app: Application) -> str:
        return self._silent.get(app.name, "")

    async def follow(self) -> None:
        """Looks again whenever something of Flux has changed; until it is cancelled."""
        changed = asyncio.Event()
        async with TaskOwner() as tasks:
            for resource in await kinds_that_count(self._cluster):
                tasks.start(f"shadow: {resource.plural}", self._stir(resource, changed))
            while True:
                await changed.wait()
                changed.clear()
                await self._clock.sleep(_PAUSE)  # a reconciliation writes several times
                try:
                    await self.look()
                except KildeError as error:
                    log.warning("Flux cannot be looked at", error=str(error))
                    changed.set()

    async def _stir(self, resource: Resource, changed: asyncio.Event) -> None:
        async for event in self._cluster.watch(resource, metadata_only=True):
            if event.type is not EventType.BROKEN:
                changed.set()

    async def look(self) -> None:
        """Takes in what Flux says now. KildeError where a part of it may not be read, or nothing of it would move."""
        found = await read_flux(self._cluster, self._namespace, "")
        if found.unread:
            hint = "a shadow of a part would not tell of the rest"
            raise KildeError("may not be read with this kubeconfig", about=", ".join(found.unread), hint=hint)
        moves, project = movable(found)
        if not moves:
            raise KildeError(
                "has nothing that would become an Application", about="Flux", hint="see kilde migrate flux"
            )
        self._hands = await handover_for(self._cluster, self._namespace)
        before, self._moves = self._moves, {ref: move for move in moves for ref in inventory(move.body)}
        self._left = tuple(_left(found))
        self._silent = {}
        await self._make(moves, project)
        turn, self._changed = self._changed, asyncio.Event()
        turn.set()
        if {ref: move.name for ref, move in before.items()} != {ref: move.name for ref, move in self._moves.items()}:
            self.retrack(self._hands.tracking)

    async def _make(self, moves: Iterable[FluxMove], project: Object) -> None:
        """What a take-over would write: what is there of that name stays, but its status."""
        there = {kind.kind: await self._real(kind) for kind in _MADE}
        apps = {}
        for move in moves:
            body = there[APPLICATIONS.kind].get(move.name) or careful(move.made)
            known = self._made[APPLICATIONS.kind].get(move.name)
            if is_behind(move.body) and known is not None and known["status"]:
                apps[move.name] = {**body, "status": known["status"]}  # what it said last
                continue
            apps[move.name] = {**body, "status": said(move.body)}
            if reason := silence(move.body):
                self._silent[move.name] = reason
        self._put(APPLICATIONS, apps)
        name = str(project["metadata"]["name"])
        self._put(PROJECTS, {name: project, **there[PROJECTS.kind]})

    async def _real(self, resource: Resource) -> dict[str, Object]:
        try:
            raws = await self._cluster.list(resource, self._namespace)
        except ClusterError as error:
            if error.status != 404:
                raise
            return {}  # its kind is not there yet
        return {str(body["metadata"]["name"]): body for body in map(_decode, raws)}

    def _put(self, resource: Resource, bodies: Mapping[str, Object]) -> None:
        """Each has a version of its own, which grows as a server's would."""
        before = self._made[resource.kind]
        now = {}
        for name, body in bodies.items():
            known = before.get(name)
            version = str(known["metadata"]["resourceVersion"]) if known is not None else ""
            same = {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
            if same != known:
                self._version += 1
                same["metadata"]["resourceVersion"] = str(self._version)
            now[name] = same
        self._made[resource.kind] = now

    async def get(self, resource: Resource, namespace: str, name: str) -> bytes | None:
        if resource.kind in self._made and resource.group == APPLICATIONS.group:
            body = self._made[resource.kind].get(name)
            return None if body is None else _encode(body)
        raw = await super().get(resource, namespace, name)
        return None if raw is None else self._moved(resource, raw)

    async def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> list[bytes]:
        if resource.kind in self._made and resource.group == APPLICATIONS.group:
            return [_encode(body) for body in self._made[resource.kind].values()]
        raws = await super().list(resource, namespace, label_selector=label_selector, metadata_only=metadata_only)
        return [self._moved(resource, raw) for raw in raws]

    def watch(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[WatchEvent]:
        if resource.kind in self._made and resource.group == APPLICATIONS.group:
            return self._watch_made(resource)
        return self._watch_moved(resource, namespace, label_selector, metadata_only=metadata_only)

    async def _watch_moved(
        self, resource: Resource, namespace: str, selector: str, *, metadata_only: bool
    ) -> AsyncIterator[WatchEvent]:
        events = super().watch(resource, namespace, label_selector=selector, metadata_only=metadata_only)
        async for event in events:
            if ObjectRef(resource.group, resource.kind, event.namespace, event.name) in self._moves and event.raw:
                yield replace(event, raw=self._moved(resource, event.raw))
            else:
                yield event

    async def _watch_made(self, resource: Resource) -> AsyncIterator[WatchEvent]:
        known: dict[str, Object] = {}
        begun = False
        while True:
            turn, now = self._changed, self._made[resource.kind]
            for name in known.keys() - now.keys():
                yield _event(EventType.DELETED, known[name])
            for name, body in now.items():
                if known.get(name) != body:
                    yield _event(EventType.MODIFIED if begun else EventType.LISTED, body)
            if not begun:
                yield WatchEvent(EventType.SYNCED)
            begun, known = True, now
            await turn.wait()

    def _moved(self, resource: Resource, raw: bytes) -> bytes:
        """An object as it would be after it has changed hands."""
        body = _decode(raw)
        meta = body.get("metadata") or {}
        ref = ObjectRef(resource.group, resource.kind, str(meta.get("namespace", "")), str(meta.get("name", "")))
        move = self._moves.get(ref)
        if move is None or self._hands is None:
            return raw
        return _encode(self._hands.would_take(move, ref, body))


def _event(kind: EventType, body: Object) -> WatchEvent:
    meta = body["metadata"]
    return WatchEvent(kind, str(meta["namespace"]), str(meta["name"]), str(meta["resourceVersion"]), _encode(body))


def _left(found: FluxInstallation) -> Iterable[AppShadow]:
    for body in (*found.kustomizations, *found.releases):
        if reason := stays(found, body):
            yield AppShadow(name=str(place(body)), silent=reason)
