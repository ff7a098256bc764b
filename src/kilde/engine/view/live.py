"""The live view: list once, watch after, forget nothing. Holds only what some application tracks or wants.

Filled by one task a kind and namespace; read by passes and heals without a request. Objects of others are known by name only.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.objects.resource_version import Horizon, is_newer
from kilde.core.plan.tracking import CLAIM, STATEFUL_SET, Tracking, is_claim_of
from kilde.engine.tasks import TaskOwner
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent


class _Meta(msgspec.Struct, gc=False):
    name: str = ""
    namespace: str = ""
    resourceVersion: str = ""  # noqa: N815  # the wire's own name
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    ownerReferences: list[msgspec.Raw] | None = None  # noqa: N815


class _Head(msgspec.Struct, gc=False):
    metadata: _Meta


heads = msgspec.json.Decoder(_Head)
"""What is read of every object: its name, version, marks and owners, without the rest of it."""
_objects = msgspec.json.Decoder(dict)


@dataclass(frozen=True, slots=True)
class Held:
    """One live object: its JSON, its version, and the application that tracks it ("" for none); `copy_of`: whose id it has from another.

    `is_made`: another object owns it, so that a mark on it is a copy of that one's.
    """

    raw: bytes
    version: str
    owner: str
    copy_of: str = ""
    is_made: bool = False

    @property
    def places(self) -> tuple[tuple[str, bool], ...]:
        """Under whom it is listed, and whether as a copy."""
        if self.is_made:
            return ()
        return tuple((app, copy) for app, copy in ((self.owner, False), (self.copy_of, True)) if app)

    def body(self) -> Object:
        found: Object = _objects.decode(self.raw)
        return found


Scope = tuple[Resource, str]
OnChange = Callable[[ObjectRef, Held | None, Held | None], None]


@dataclass(slots=True)
class _Watched:
    """One kind in one namespace ("" for all): what is known there, and whether it is known."""

    resource: Resource
    namespace: str
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    error: str = ""
    names: set[tuple[str, str]] = field(default_factory=set)  # of objects that are there but not held
    held: dict[tuple[str, str], Held] = field(default_factory=dict)
    told: Horizon = field(default_factory=Horizon)

    def knows(self, place: tuple[str, str]) -> bool:
        """Whether an object is there, held or not."""
        return place in self.held or place in self.names


class LiveView:
    """What is in the cluster, of the kinds and namespaces in use."""

    def __init__(self, cluster: Cluster, tasks: TaskOwner, on_change: OnChange) -> None:
        self._cluster, self._tasks, self._on_change = cluster, tasks, on_change
        self._watched: dict[tuple[GroupKind, str], _Watched] = {}
        self._wanted: dict[ObjectRef, int] = {}
        self._by_owner: dict[tuple[str, bool], set[ObjectRef]] = {}
        self.tracking = Tracking()

    async def need(self, scopes: Iterable[Scope], *, patience: float) -> None:
        """Watches these kinds and namespaces and waits until they are known. Raises ClusterError after `patience` seconds."""
        watched = [self._watch(resource, namespace) for resource, namespace in scopes]
        for one in watched:
            if one.synced.is_set():
                continue
            try:
                async with asyncio.timeout(patience):
                    await one.synced.wait()
            except TimeoutError:
                what = one.error or f"no answer within {patience:.0f} s"
                raise ClusterError(what, about=f"watching {one.resource.plural}") from None

    def _watch(self, resource: Resource, namespace: str) -> _Watched:
        key = (resource.group_kind, namespace if resource.namespaced else "")
        one = self._watched.get(key)
        if one is None:
            one = _Watched(resource, key[1])
            self._watched[key] = one
            one.task = self._tasks.start(f"watch {resource.plural} {key[1]}", self._follow(one))
        return one

    def release(self, in_use: Iterable[tuple[GroupKind, str]]) -> None:
        """Stops watching what is no longer in use."""
        keep = set(in_use)
        for key in [key for key in self._watched if key not in keep]:
            one = self._watched.pop(key)
            if one.task is not None:
                one.task.cancel()
            for place, held in one.held.items():
                ref = _ref(one, place)
                if self._place(ref) is None:
                    self._drop_owner(ref, held)

    def is_whole(self, resource: Resource) -> bool:
        """Whether all objects of the kind are known."""
        one = self._watched.get((resource.group_kind, ""))
        return one is not None and one.synced.is_set()

    @property
    def watches(self) -> int:
        """How many kinds and namespaces are watched."""
        return len(self._watched)

    def retrack(self, tracking: Tracking) -> None:
        """Objects are told apart in another way from now on: everything is listed anew."""
        self.tracking = tracking
        keys = list(self._watched)
        resources = [(self._watched[key].resource, self._watched[key].namespace) for key in keys]
        self.release(())
        self._by_owner.clear()
        for resource, namespace in resources:
            self._watch(resource, namespace)

    def want(self, refs: Iterable[ObjectRef]) -> None:
        """Objects that shall be held though no application tracks them yet. Counted: each `want` needs its `unwant`."""
        for ref in refs:
            self._wanted[ref] = self._wanted.get(ref, 0) + 1

    def unwant(self, refs: Iterable[ObjectRef]) -> None:
        for ref in refs:
            left = self._wanted.get(ref, 0) - 1
            if left > 0:
                self._wanted[ref] = left
            else:
                self._wanted.pop(ref, None)

    def get(self, ref: ObjectRef) -> Held | None:
        """What is held of an object; None: not there (or not watched, or there and not held: see `load`)."""
        one = self._place(ref)
        return one.held.get((ref.namespace, ref.name)) if one else None

    def exists(self, ref: ObjectRef) -> bool | None:
        """Whether an object is there, held or not; None where its kind and namespace are not watched or not known yet."""
        one = self._place(ref)
        if one is None or not one.synced.is_set():
            return None
        return one.knows((ref.namespace, ref.name))

    async def load(self, refs: Iterable[ObjectRef]) -> None:
        """Fetches those of the objects that are there but were not held until now."""
        for ref in refs:
            one, place = self._place(ref), (ref.namespace, ref.name)
            if one is None or place not in one.names:
                continue
            raw = await self._cluster.get(one.resource, *place)
            if raw is not None and place in one.names:
                self._put(one, raw)

    def tracked_by(self, app: str) -> frozenset[ObjectRef]:
        """Every object that carries the application's tracking id, but for the claims that its StatefulSets make."""
        found = frozenset(self._by_owner.get((app, False), ()))
        claims = [ref for ref in found if ref.group_kind == CLAIM]
        if not claims:
            return found
        sets = [one.body() for ref in found if ref.group_kind == STATEFUL_SET and (one := self.get(ref)) is not None]
        return found - {claim for claim in claims if any(is_claim_of(claim, one) for one in sets)}

    def copies_of(self, app: str) -> frozenset[ObjectRef]:
        """Every object that carries a tracking id of the application's that was written for another object."""
        return frozenset(self._by_owner.get((app, True), ()))

    @property
    def tracked(self) -> int:
        """How many objects some application tracks."""
        return sum(len(refs) for (_, copies), refs in self._by_owner.items() if not copies)

    def observe(self, ref: ObjectRef, raw: bytes | None) -> None:
        """What a write of ours gave, known before the watch tells it (None: the object is gone)."""
        one, place = self._place(ref), (ref.namespace, ref.name)
        if one is None:
            return
        if raw is None:
            self._remove(one, place)
        elif one.knows(place) or not one.told.covers(heads.decode(raw).metadata.resourceVersion):
            self._put(one, raw)

    def _place(self, ref: ObjectRef) -> _Watched | None:
        return self._watched.get((ref.group_kind, ref.namespace)) or self._watched.get((ref.group_kind, ""))

    async def _follow(self, one: _Watched) -> None:
        listed: set[tuple[str, str]] = set()
        async for event in self._cluster.watch(one.resource, one.namespace):
            if event.type is EventType.LISTED:
                listed.add((event.namespace, event.name))
                self._put(one, event.raw)
            elif event.type is EventType.SYNCED:
                one.told.reach(event.resource_version)
                for place in (set(one.held) | one.names) - listed:
                    held = one.held.get(place)
                    if held is None or not one.told.is_behind(held.version):
                        self._remove(one, place)
                listed = set()
                one.error = ""
                one.synced.set()
            elif event.type is EventType.BROKEN:
                one.error = event.error
                listed = set()
            else:
                self._take(one, event)

    def _take(self, one: _Watched, event: WatchEvent) -> None:
        one.told.reach(event.resource_version)
        if event.type is EventType.DELETED:
            place = (event.namespace, event.name)
            held = one.held.get(place)
            if held is None or not is_newer(held.version, event.resource_version):
                self._remove(one, place)
        else:
            self._put(one, event.raw)

    def _put(self, one: _Watched, raw: bytes) -> None:
        meta = heads.decode(raw).metadata
        place = (meta.namespace, meta.name)
        ref = _ref(one, place)
        marks = {"annotations": meta.annotations, "labels": meta.labels}
        owner, copy_of = self.tracking.owner(marks, ref), self.tracking.copied(marks, ref)
        before = one.held.get(place)
        if before is not None and not is_newer(meta.resourceVersion, before.version):
            return
        is_marked = bool(owner or copy_of) and not meta.ownerReferences
        if not is_marked and ref not in self._wanted:
            one.names.add(place)
            if before is not None:
                del one.held[place]
                self._drop_owner(ref, before)
                self._on_change(ref, before, None)
            return
        one.names.discard(place)
        now = Held(raw, meta.resourceVersion, owner, copy_of, is_made=bool(meta.ownerReferences))
        one.held[place] = now
        if before is None or before.places != now.places:
            if before is not None:
                self._drop_owner(ref, before)
            for key in now.places:
                self._by_owner.setdefault(key, set()).add(ref)
        self._on_change(ref, before, now)

    def _remove(self, one: _Watched, place: tuple[str, str]) -> None:
        one.names.discard(place)
        before = one.held.pop(place, None)
        if before is not None:
            ref = _ref(one, place)
            self._drop_owner(ref, before)
            self._on_change(ref, before, None)

    def _drop_owner(self, ref: ObjectRef, held: Held) -> None:
        for key in held.places:
            refs = self._by_owner.get(key)
            if refs is not None:
                refs.discard(ref)
                if not refs:
                    del self._by_owner[key]


def _ref(one: _Watched, place: tuple[str, str]) -> ObjectRef:
    return ObjectRef(one.resource.group, one.resource.kind, place[0], place[1])
