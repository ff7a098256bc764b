"""Strays: objects that carry an application's mark and are of kinds that nothing else of it is of, so that nobody watches them for it.

No selector finds an annotation, and a watch of every kind would bring all that happens in a cluster. So all kinds are listed, their
metadata alone, for an application whose status lists nothing (it is new, or was made again) and when somebody asks for a refresh; what is
found is watched from then on. Only what is in the application's destination namespace, or was written for it there, counts: an
application of the same name in another installation has its own.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator

import msgspec
import structlog

from kilde.core.access.orphans import is_looked_at
from kilde.core.apps.application import Application
from kilde.core.apps.clusters import KnownCluster
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.engine.fleet.projects import Projects
from kilde.engine.view.live import LiveView, heads
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

_AT_ONCE = 8  # lists
_SHARE = 5.0  # after a look that took a second, refreshes are served for so many by what it saw


class Strays:
    """What was seen at the last look, by application and destination namespace."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        live: LiveView,
        projects: Projects,
        clock: Clock,
        names: Callable[[], Iterable[str]],  # of the applications that are there now
    ) -> None:
        self._cluster, self._live, self._projects, self._clock, self._names = cluster, live, projects, clock, names
        self._found: dict[tuple[str, str], frozenset[ObjectRef]] = {}
        self._looked_for: set[str] = set()
        self._looking_for: set[str] = set()  # by the look that goes on
        self._begun = self._rested = float("-inf")
        self._turn = asyncio.Lock()

    def of(self, app: str, namespace: str) -> frozenset[ObjectRef]:
        """What carries the application's mark for its destination namespace, as far as kinds that are not watched whole go."""
        return self._found.get((app, namespace), frozenset())

    def forget(self, app: str) -> None:
        self._looked_for.discard(app)
        self._looking_for.discard(app)

    async def look(self, app: Application, of: KnownCluster) -> bool:
        """Looks, where there is a reason to, and whether there was; many that ask at once share a look that began since.

        A look is one for all applications that are there when it begins: of a thousand new ones few have to ask. Kinds that cannot be
        listed are passed over.
        """
        is_new = not app.status.get("resources") and app.name not in self._looked_for
        asked = self._clock.monotonic()
        if not is_new and (not app.refresh or (app.refresh != "hard" and asked < self._rested)):
            return False
        async with self._turn:
            covered = is_new and not app.refresh and app.name in self._looked_for
            if self._begun < asked and not covered:
                begun, self._looking_for = self._clock.monotonic(), {app.name, *self._names()}
                self._found = await self._look(of)
                self._looked_for |= self._looking_for
                self._begun, took = begun, self._clock.monotonic() - begun
                self._rested = begun + took * _SHARE
        return True

    async def _look(self, of: KnownCluster) -> dict[tuple[str, str], frozenset[ObjectRef]]:
        slots = asyncio.Semaphore(_AT_ONCE)
        found: dict[tuple[str, str], set[ObjectRef]] = {}

        async def one(resource: Resource, namespace: str) -> None:
            async with slots:
                try:
                    listed = await self._cluster.list(resource, namespace, metadata_only=True)
                except ClusterError as error:
                    log.debug("not looked through for marks", kind=resource.plural, error=str(error))
                    return
            for raw in listed:
                for mark, ref in self._marks(resource, raw):
                    found.setdefault(mark, set()).add(ref)

        discovery = await self._cluster.discovery()
        scopes = [scope for resource in discovery.all() for scope in self._scopes(resource, of)]
        await asyncio.gather(*(one(resource, namespace) for resource, namespace in scopes))
        return {mark: frozenset(refs) for mark, refs in found.items()}

    def _scopes(self, resource: Resource, of: KnownCluster) -> Iterator[tuple[Resource, str]]:
        group, kind = resource.group_kind
        if (resource.verbs and not {"list", "watch"} <= resource.verbs) or not is_looked_at(group, kind):
            return
        if self._projects.kinds.excludes(of.server, group, kind) or self._live.is_whole(resource):
            return
        if not of.namespaces:
            yield resource, ""
        elif resource.namespaced:
            yield from ((resource, namespace) for namespace in of.namespaces)
        elif of.cluster_resources:
            yield resource, ""

    def _marks(self, resource: Resource, raw: bytes) -> Iterator[tuple[tuple[str, str], ObjectRef]]:
        try:
            meta = heads.decode(raw).metadata
        except msgspec.ValidationError:
            return
        ref = ObjectRef(resource.group, resource.kind, meta.namespace, meta.name)
        marks, tracking = {"annotations": meta.annotations, "labels": meta.labels}, self._live.tracking
        app = tracking.owner(marks, ref) or tracking.copied(marks, ref)
        if app and not meta.ownerReferences:
            yield (app, ref.namespace or tracking.written_in(marks)), ref
