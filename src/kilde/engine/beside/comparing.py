"""Compares what an application wants with what a cluster has, by requests: for looks from outside a running controller."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from kilde.core.access.kind_filter import KindFilter, read_kind_filter
from kilde.core.apps.application import Application
from kilde.core.apps.customizations import Customizations, read_customizations
from kilde.core.basics.errors import ClusterError, InvalidInput, KildeError
from kilde.core.basics.values import Object
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.objects.typed.node import Node
from kilde.core.plan.change import Change
from kilde.core.plan.compare import predict
from kilde.core.plan.desired import Desired, Wanted, prepare
from kilde.core.plan.ignore import drop, pointers_for
from kilde.core.plan.planner import judge, judge_extra
from kilde.core.plan.tracking import Tracking, read_tracking
from kilde.engine.fleet.applications import CONFIG_MAPS
from kilde.engine.sources.wishes import defined_scopes, owned_refs
from kilde.engine.view.schemas import Schemas
from kilde.ports.cluster import Cluster, Discovery

_decode = msgspec.json.Decoder(dict).decode
_AT_ONCE = 16  # requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """One object of both sides. `before`, `after`: what is there and what a sync would leave, without what ignoreDifferences names."""

    change: Change
    wanted: Wanted | None
    live: Object | None
    before: Object | None
    after: Object | None
    predicted: Object | None = None  # all that a sync would leave of an object that is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """All of one application: what is wanted in its order, then what is no longer."""

    desired: Desired
    discovery: Discovery
    objects: tuple[Met, ...]
    space: bool = True  # whether the destination's namespace is there, or nobody can tell


class Comparer:
    """Knows a cluster's kinds, schemas and settings; reads each of its objects anew."""

    def __init__(self, cluster: Cluster, tracking: Tracking, customizations: Customizations, kinds: KindFilter) -> None:
        self.cluster, self.tracking, self.customizations = cluster, tracking, customizations
        self.schemas, self.kinds = Schemas(cluster), kinds
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def compare(self, app: Application, manifests: Iterable[Manifest], *, prune: bool) -> Compared:
        """Raises KildeError: rules that cannot be read, an object that has no place to be, or a cluster that does not answer."""
        if app.uncomparable:
            raise InvalidInput(app.uncomparable, about=str(app))
        self.kinds.check()
        discovery, server = await self.cluster.discovery(), app.destination.cluster.server
        desired = self.desired(app, tuple(manifests), discovery)
        owned = (ref for ref in owned_refs(app) if not self.kinds.excludes(server, ref.group, ref.kind))
        gone = sorted(set(owned) - desired.refs)
        refs = (*desired.refs, *gone)
        live = dict(zip(refs, await asyncio.gather(*(self.live(ref) for ref in refs)), strict=True))
        found = [await self._wanted(app, wanted, live[wanted.ref], discovery) for wanted in desired.objects]
        for ref in gone:
            body = live[ref]
            if body is None or self.tracking.owner(body.get("metadata") or {}, ref) != app.name:
                continue
            change = judge_extra(ref, body, prune=prune, options=app.policy.options)
            found.append(Met(change=change, wanted=None, live=body, before=body, after=None))
        space = await self._there(app.destination.namespace)
        return Compared(desired=desired, discovery=discovery, objects=tuple(found), space=space)

    async def _there(self, namespace: str) -> bool:
        try:
            return not namespace or await self.live(ObjectRef("", "Namespace", "", namespace)) is not None
        except ClusterError as error:
            if error.status != 403:
                raise
            return True

    def desired(
        self, app: Application, manifests: tuple[Manifest, ...], discovery: Discovery, *, lenient: bool = False
    ) -> Desired:
        """What is wanted, each object in its place, without excluded kinds. Raises InvalidInput, also for mistakes unless `lenient`."""
        server = app.destination.cluster.server
        manifests = tuple(each for each in manifests if not self.kinds.excludes(server, each.group, each.kind))
        coming = defined_scopes(manifests)

        def scope(kind: GroupKind) -> bool | None:
            found = discovery.resource(kind.group, kind.kind)
            return found.namespaced if found else coming.get(kind)

        space = app.destination.namespace
        return prepare(manifests, app=app.name, namespace=space, scope=scope, tracking=self.tracking, lenient=lenient)

    async def _wanted(self, app: Application, wanted: Wanted, live: Object | None, discovery: Discovery) -> Met:
        ref, version, body = wanted.ref, wanted.manifest.version, wanted.manifest.body
        resource = discovery.resource(ref.group, ref.kind)
        if resource is not None:
            await self.schemas.learn(resource, version)
        node = self.schemas.node(ref.group, version, ref.kind)
        ignore = (*self.customizations.ignore, *app.ignore)
        change = judge(wanted, live, app=app.name, node=node, ignore=ignore, tracking=self.tracking)
        pointers = pointers_for(ignore, ref)
        predicted = None if live is None else _predicted(body, live, node)
        after = body if predicted is None else predicted
        before = None if live is None else drop(live, pointers)
        return Met(
            change=change, wanted=wanted, live=live, before=before, after=drop(after, pointers), predicted=predicted
        )

    async def live(self, ref: ObjectRef) -> Object | None:
        """The object as the cluster has it now. Raises ClusterError."""
        resource = (await self.cluster.discovery()).resource(ref.group, ref.kind)
        if resource is None or not ref.name:
            return None
        async with self._gate:
            raw = await self.cluster.get(resource, ref.namespace, ref.name)
        return _decode(raw) if raw else None


async def comparer(cluster: Cluster, namespace: str, *, of: Cluster | None = None) -> Comparer:
    """As the settings of `argocd-cm` say; by its defaults where they cannot be read. `of`: the cluster to compare with, if another."""
    try:
        raw = await cluster.get(CONFIG_MAPS, namespace, "argocd-cm")
    except ClusterError:
        raw = None
    data = (_decode(raw).get("data") or {}) if raw else {}
    return Comparer(of or cluster, read_tracking(data), read_customizations(data), read_kind_filter(data))


def _predicted(wanted: Object, live: Object, node: Node | None) -> Object:
    try:
        return predict(wanted, live, node=node)
    except KildeError:
        return wanted  # it does not fit its type; the change says so
