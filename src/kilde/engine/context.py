"""Context: everything a pass, a heal or a deletion works with, made once by the controller."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kilde.core.apps.application import Application
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.engine.accounts import Accounts
from kilde.engine.fleet import Config, Fleet
from kilde.engine.live import LiveView, Scope
from kilde.engine.rendering import Renderer
from kilde.engine.report import Reporter
from kilde.engine.repositories import Repositories
from kilde.engine.runtime import Runtime
from kilde.engine.schemas import Schemas
from kilde.engine.settings import EngineSettings
from kilde.engine.survey import Surveyor
from kilde.engine.world import World
from kilde.ports.cluster import Discovery, Resource

NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_WIDE_FROM = 16  # namespaces of one kind: beyond it one watch of all namespaces is lighter for everybody


@dataclass(slots=True, kw_only=True)
class Context:
    """The parts of a running engine."""

    world: World
    settings: EngineSettings
    fleet: Fleet
    config: Config
    live: LiveView
    repositories: Repositories
    renderer: Renderer
    schemas: Schemas
    surveyor: Surveyor
    reporter: Reporter
    accounts: Accounts
    wake: Callable[[str, float], None]  # asks for a pass over an application after so many seconds
    heal: Callable[[str, ObjectRef], None]  # asks for one object of an application to be put back
    slots: asyncio.Semaphore
    runtimes: dict[str, Runtime] = field(default_factory=dict)
    wanted_by: dict[ObjectRef, set[str]] = field(default_factory=dict)
    signals: dict[str, asyncio.Event] = field(default_factory=dict)
    wide: set[GroupKind] = field(default_factory=set)

    def runtime(self, name: str) -> Runtime:
        return self.runtimes.setdefault(name, Runtime())

    def now(self) -> float:
        return self.world.clock.now()

    async def changed(self, name: str, seconds: float) -> None:
        """Waits until something of the application changed, or so many seconds."""
        signal = self.signals.setdefault(name, asyncio.Event())
        signal.clear()
        try:
            await asyncio.wait_for(signal.wait(), seconds)
        except TimeoutError:
            return

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
            if resource is None:
                continue
            scopes.add((resource, await self._namespace(resource, ref.namespace)))
        rt = self.runtime(name)
        rt.scopes = frozenset((resource.group, resource.kind, namespace) for resource, namespace in scopes)
        await self.live.need(scopes, patience=self.settings.watch_patience)

    async def _namespace(self, resource: Resource, namespace: str) -> str:
        if not resource.namespaced or resource.group_kind in self.wide:
            return ""
        used = {
            space
            for rt in self.runtimes.values()
            for group, kind, space in rt.scopes
            if (group, kind) == (resource.group, resource.kind)
        }
        if len(used) >= _WIDE_FROM and namespace not in used and await self.world.cluster.allowed("watch", resource):
            self.wide.add(resource.group_kind)
            return ""
        return namespace

    def release_unused(self) -> None:
        """Stops watches that no application needs."""
        in_use = {
            (GroupKind(group, kind), "" if GroupKind(group, kind) in self.wide else space)
            for rt in self.runtimes.values()
            for group, kind, space in rt.scopes
        }
        self.live.release(in_use | {(NAMESPACES.group_kind, "")})

    def forget(self, name: str) -> None:
        """The application is gone."""
        self.hold(name, ())
        self.runtimes.pop(name, None)
        self.signals.pop(name, None)
        self.release_unused()

    def rivals(self, app: Application) -> frozenset[str]:
        """The other applications of the fleet: what they track is not taken from them automatically."""
        return frozenset(self.fleet.names()) - {app.name}
