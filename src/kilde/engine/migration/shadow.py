"""A shadow: the engine works everything out beside another controller and writes nothing; what it would say is compared instead."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from kilde.core.apps.application import Application
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.migrate.shadow import AppShadow, Field, compared, errors_of
from kilde.core.objects.images import images_of
from kilde.core.plan.change import Change
from kilde.engine.context import Context
from kilde.engine.fleet.applications import Fleet
from kilde.engine.report import Build, Reporter
from kilde.engine.runtime import Runtime
from kilde.ports.clock import Clock
from kilde.ports.cluster import Applied, Cluster, Discovery, Propagation, Resource, WatchEvent

_MOST = 5  # fields of an object that are named


class ReadOnly:
    """A cluster that can only be read: whatever would write is refused before anything is sent."""

    def __init__(self, cluster: Cluster, *, owned: bool = False) -> None:
        self._cluster, self._owned = cluster, owned

    async def version(self) -> str:
        return await self._cluster.version()

    async def discovery(self, *, refresh: bool = False) -> Discovery:
        return await self._cluster.discovery(refresh=refresh)

    async def schemas(self, group: str, version: str) -> Object | None:
        return await self._cluster.schemas(group, version)

    async def get(self, resource: Resource, namespace: str, name: str) -> bytes | None:
        return await self._cluster.get(resource, namespace, name)

    async def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> list[bytes]:
        return await self._cluster.list(resource, namespace, label_selector=label_selector, metadata_only=metadata_only)

    def watch(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[WatchEvent]:
        return self._cluster.watch(resource, namespace, label_selector=label_selector, metadata_only=metadata_only)

    def acting(self, user: str) -> "ReadOnly":
        return self  # whoever would write, writes nothing

    async def apply(
        self, resource: Resource, body: Object, *, manager: str, force: bool = True, dry_run: bool = False
    ) -> Applied:
        _refuse(resource)

    async def create(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied:
        _refuse(resource)

    async def replace(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied:
        _refuse(resource)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Any,
        *,
        kind: Literal["merge", "json", "strategic"] = "merge",
        manager: str,
        subresource: str = "",
    ) -> bytes:
        _refuse(resource)

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: Propagation = "Foreground",
        uid: str = "",
        resource_version: str = "",
    ) -> bool:
        _refuse(resource)

    async def allowed(self, verb: str, resource: Resource, namespace: str = "") -> bool:
        return await self._cluster.allowed(verb, resource, namespace)

    async def whoami(self) -> str:
        return await self._cluster.whoami()

    def counts(self) -> dict[str, int]:
        return self._cluster.counts()

    async def pulse(self) -> None:
        await self._cluster.pulse()

    def interrupt(self, why: str) -> None:
        self._cluster.interrupt(why)

    async def close(self) -> None:
        """It is whoever opened it that closes it, unless that was for this."""
        if self._owned:
            await self._cluster.close()


def _refuse(resource: Resource) -> NoReturn:
    raise ClusterError("a shadow writes nothing", about=resource.kind, status=403, reason="Forbidden")


def silence(app: Application) -> str:
    """Why an application is not compared; "" where it is."""
    if app.deleting:
        return "it is being deleted"
    if app.skipped:
        return "it is skipped (argocd.argoproj.io/skip-reconcile)"
    return "" if app.status.get("sync") else "the other controller has said nothing of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How another controller is understood; that of Argo CD, unless said otherwise.

    `silence`: why it says nothing of an application ("": it does); `heard`: of what it says and what we say the second, without what
    it has no word for.
    """

    system: str = "Argo CD"
    silence: Callable[[Application], str] = silence
    heard: Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]] = lambda theirs, ours: ours


@dataclass(slots=True)
class _Noted:
    fields: tuple[Field, ...] = ()
    times: int = 0
    differed: dict[str, None] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class Book:
    """What was compared, by application. `context` is of the engine that works it out."""

    def __init__(self, voice: Voice) -> None:
        self._noted: dict[str, _Noted] = {}
        self.voice = voice
        self.context: Context | None = None

    def note(self, app: Application, ours: Mapping[str, Any]) -> None:
        noted = self._noted.setdefault(app.name, _Noted())
        rt = self.context.runtimes.get(app.name) if self.context is not None else None
        images = _template_images(self.context, rt) if self.context is not None and rt is not None else ()
        noted.fields = compared(app.status, self.voice.heard(app.status, ours), images=images)
        noted.times += 1
        noted.differed.update((one.name, None) for one in noted.fields if not one.agrees)
        noted.changes = _changes(rt) if rt is not None else ()
        noted.errors = errors_of(ours)

    def is_full(self, apps: Sequence[Application]) -> bool:
        """Whether each of them was compared, or never will be."""
        return all(app.name in self._noted or self.voice.silence(app) for app in apps)

    def told(self, apps: Sequence[Application]) -> tuple[AppShadow, ...]:
        """What it came to, in the order of names."""
        return tuple(self._told(app) for app in sorted(apps, key=lambda app: app.name))

    def _told(self, app: Application) -> AppShadow:
        noted, silent = self._noted.get(app.name), self.voice.silence(app)
        if noted is None or silent:
            return AppShadow(name=app.name, silent=silent or "it was not worked out in time")
        now = {one.name for one in noted.fields if not one.agrees}
        passing = tuple(name for name in noted.differed if name not in now)
        return AppShadow(
            name=app.name,
            fields=noted.fields,
            compared=noted.times,
            passing=passing,
            changes=noted.changes,
            errors=noted.errors,
        )


class ShadowReporter(Reporter):
    """Takes what would be written into an Application, and compares it with what is there."""

    def __init__(self, cluster: Cluster, fleet: Fleet, clock: Clock, *, manager: str, book: Book) -> None:
        super().__init__(cluster, fleet, clock, manager=manager)
        self._apps, self._book = fleet, book

    async def write(
        self,
        name: str,
        build: Build,
        *,
        begins: Mapping[str, Any] | None = None,
        ends: Mapping[str, Any] | None = None,
        refreshed: str = "",
    ) -> Application | None:
        app = self._apps.get(name)
        if app is not None and ends is None:
            self._book.note(app, build(app))
        return app

    async def annotate(self, name: str, annotations: Mapping[str, str | None]) -> None:
        """Nothing is written."""

    async def finalize(self, app: Application, finalizers: list[str]) -> None:
        """Nothing is written."""

    async def event_on(self, about: Mapping[str, str], *, kind: str, reason: str, message: str) -> None:
        """Nothing is written."""


def _template_images(ctx: Context, rt: Runtime) -> tuple[str, ...]:
    """The images that an application's live objects name."""
    held = [ctx.live.get(ref) for ref in (rt.wish.objects if rt.wish is not None else ())]
    return images_of(one.body() for one in held if one is not None)


def _changes(rt: Runtime) -> tuple[str, ...]:
    """What a sync would do, as the judgements of the last survey have it."""
    return tuple(_told_change(one.change) for _, one in sorted(rt.judged.items()) if one.change.differs)


def _told_change(change: Change) -> str:
    paths = [one.path for one in change.fields]
    more = f" and {len(paths) - _MOST} more" if len(paths) > _MOST else ""
    return f"{change.action} {change.ref}: {', '.join(paths[:_MOST]) + more if paths else change.why}"
