"""FakeCluster: a Kubernetes API in memory, without a wire, that keeps ports.cluster.Cluster's promises.

It has real server-side apply and patches, versions, conflicts, finalizers, owner references, CRDs, and no controllers, defaults or
validation. `refuse` makes calls fail and `drop_watches` breaks the streams, as a test wishes.
"""

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, TypeAlias

import msgspec

from kilde.adapters.cluster.interrupting import InFlight
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.core.objects.patches.errors import PatchError
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.objects.patches.strategic_merge import strategic_merge
from kilde.core.objects.ref import GroupKind, ObjectRef, join_api_version
from kilde.core.objects.selector import parse_labels
from kilde.ports.clock import Clock
from kilde.ports.cluster import Applied, Discovery, EventType, Propagation, Resource, WatchEvent
from kilde.testing.objects import Listener, ObjectStore
from kilde.testing.served import Served
from kilde.testing.writing import Writing, ref_of, refused_patch, settled

Refusal: TypeAlias = Callable[[str, ObjectRef], ClusterError | None]
Bodies: TypeAlias = list[bytes]  # inside the class, `list` is the verb
Pairs: TypeAlias = list[tuple[Object, bytes]]
_NAMESPACES = GroupKind("", "Namespace")
_DEFINITIONS = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
_WRITES = ("apply", "create", "update", "patch", "delete")
_encode = msgspec.json.Encoder().encode


class FakeCluster:
    """See the module. Namespaces `default` and `kube-system` are there from the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._store = ObjectStore()
        self._served = Served()
        self._writing = Writing(self._served)
        self._counts: Counter[str] = Counter()
        self._user = ""  # as whom is written; "": as ourselves
        self.acted: set[tuple[str, ObjectRef]] = set()  # what was written as somebody else
        self._in_flight = InFlight()
        self._expired = False  # how the watches ended last
        self.refuse: Refusal | None = None
        self.hold: Callable[[str, ObjectRef], asyncio.Event | None] | None = None  # calls wait for the event it gives
        self.late: Callable[[str, ObjectRef], asyncio.Event | None] | None = (
            None  # so do answers to calls that are done
        )
        for name in ("default", "kube-system"):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._put(ObjectRef("", "Namespace", "", name), body, None)

    async def version(self) -> str:
        await self._let_in("version", ObjectRef("", "", "", ""))
        return "v1.36.0-fake"

    async def discovery(self, *, refresh: bool = False) -> Discovery:
        del refresh  # reading it costs nothing, so it is never old
        return self._served.discovery()

    async def schemas(self, group: str, version: str) -> Object | None:
        """Always None: the fake publishes no OpenAPI documents."""
        del group, version
        return None

    async def get(self, resource: Resource, namespace: str, name: str) -> bytes | None:
        ref = await self._enter("get", resource, namespace, name)
        body = self._store.get(ref)
        await self._answer("get", ref)
        return None if body is None else _encoded(resource, body)

    async def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> Bodies:
        del metadata_only  # the rest does no harm
        await self._enter("list", resource, namespace, "", one=False)
        return [raw for _, raw in self._listed(resource, namespace, label_selector)]

    async def watch(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[WatchEvent]:
        del metadata_only
        while True:
            queue = self._store.listen()
            try:
                async for event in self._followed(resource, namespace, label_selector, queue):
                    yield event
            except ClusterError as error:
                if not self._expired:
                    yield WatchEvent(EventType.BROKEN, error=str(error))
                    await self._clock.sleep(0.25)
            finally:
                self._store.unlisten(queue)

    async def apply(
        self, resource: Resource, body: Object, *, manager: str, force: bool = True, dry_run: bool = False
    ) -> Applied:
        ref = await self._enter("apply", resource, *_place(body))
        live = self._store.get(ref)
        asked = body["metadata"].get("resourceVersion")
        if live is not None and asked not in (None, live["metadata"]["resourceVersion"]):
            raise _modified(ref)
        new = self._writing.applied(resource, live, body, manager, force=force, now=self._clock.now())
        made = self._written(resource, ref, live, new, dry_run=dry_run)
        await self._answer("apply", ref)
        return made

    async def create(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied:
        namespace, name = _place(body)
        if not name and body["metadata"].get("generateName"):
            name = f"{body['metadata']['generateName']}{self._store.revision:05d}"
            body = {**body, "metadata": {**body["metadata"], "name": name}}
        ref = await self._enter("create", resource, namespace, name)
        if self._store.get(ref) is not None:
            words = f'{_plural(resource)} "{name}" already exists'
            raise ClusterError(words, about=str(ref), status=409, reason="AlreadyExists")
        new = self._writing.updated(resource, None, body, manager, now=self._clock.now())
        return self._written(resource, ref, None, new, dry_run=dry_run)

    async def replace(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied:
        ref = await self._enter("update", resource, *_place(body))
        live = self._present(resource, ref)
        asked = body["metadata"].get("resourceVersion")
        if asked not in (None, live["metadata"]["resourceVersion"]):
            raise _modified(ref)
        new = self._writing.updated(resource, live, body, manager, now=self._clock.now())
        return self._written(resource, ref, live, new, dry_run=dry_run)

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
        ref = await self._enter("patch", resource, namespace, name)
        live = self._present(resource, ref)
        try:
            if kind == "merge":
                new = merge_patch(live, patch)
            elif kind == "json":
                new = json_patch(live, patch)
            else:
                new = strategic_merge(live, patch, self._served.node(resource))
        except PatchError as error:
            raise refused_patch(error, resource, name) from error
        asked = new["metadata"].get("resourceVersion")
        if asked not in (None, live["metadata"]["resourceVersion"]):
            raise _modified(ref)
        new = self._writing.updated(resource, live, new, manager, subresource=subresource, now=self._clock.now())
        made = self._written(resource, ref, live, new, dry_run=False)
        await self._answer("patch", ref)
        return made.raw

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
        ref = await self._enter("delete", resource, namespace, name)
        live = self._store.get(ref)
        if live is None:
            return False
        metadata = live["metadata"]
        if uid not in ("", metadata["uid"]) or resource_version not in ("", metadata["resourceVersion"]):
            words = f'Operation cannot be fulfilled on {resource.plural} "{name}": a precondition does not hold'
            raise ClusterError(words, about=str(ref), status=409, reason="Conflict")
        if propagation == "Orphan":
            self._store.orphan(ref)
        if not metadata.get("finalizers"):
            self._store.remove(ref)
        elif not metadata.get("deletionTimestamp"):
            going = {"deletionTimestamp": rfc3339(self._clock.now()), "deletionGracePeriodSeconds": 0}
            self._store.put(ref, {**live, "metadata": {**metadata, **going}})
        return True

    async def allowed(self, verb: str, resource: Resource, namespace: str = "") -> bool:
        del verb, resource, namespace
        self._counts["review"] += 1
        return True

    async def whoami(self) -> str:
        self._counts["review"] += 1
        return "system:kilde"

    def acting(self, user: str) -> "FakeCluster":
        """A fake has no users: `acted` tells who wrote what."""
        made = copy.copy(self)
        made._user = user
        return made

    def counts(self) -> dict[str, int]:
        return dict(self._counts)

    async def pulse(self) -> None:
        await self._let_in("pulse", ObjectRef("", "", "", ""))

    def interrupt(self, why: str) -> None:
        self._in_flight.interrupt(why)

    async def close(self) -> None:
        """Nothing is open."""

    def drop_watches(self) -> None:
        """Breaks every watch: each says BROKEN once and lists anew."""
        self._expired = False
        self._store.drop_listeners()

    def expire_watches(self) -> None:
        """Ends every watch as a server does that has forgotten what it would have to tell (410): each lists anew, without a word."""
        self._expired = True
        self._store.drop_listeners()

    def serve(self, resource: Resource, schema: Object | None = None, *, has_status: bool = False) -> None:
        """Serves one more kind, as if a CRD had been there before."""
        self._served.add(resource, schema, has_status=has_status)

    def objects(self) -> dict[ObjectRef, Object]:
        """All objects, for a test to look at."""
        return {ref: body for ref in self._store.refs() if (body := self._store.get(ref)) is not None}

    async def _enter(self, verb: str, resource: Resource, namespace: str, name: str, *, one: bool = True) -> ObjectRef:
        """Counts the call and checks what any call needs; gives the object's reference."""
        await asyncio.sleep(0)  # a real call never answers within the same turn of the loop
        ref = ref_of(resource, namespace, name)
        if one and (not name or name in (".", "..") or "/" in name or "%" in name):
            raise ClusterError(
                "name is empty" if not name else f"'{name}' cannot be a name", about=str(ref), reason="Invalid"
            )
        if one and resource.namespaced and not namespace:
            raise ClusterError("a namespace is required", about=str(ref), reason="Invalid")
        if self._user and verb in _WRITES:
            self.acted.add((self._user, ref))
        await self._let_in(verb, ref)
        if not self._served.knows(resource):
            raise ClusterError(
                "the server could not find the requested resource", about=str(ref), status=404, reason="NotFound"
            )
        return ref

    async def _held(self, verb: str, ref: ObjectRef) -> None:
        if self.hold is not None and (event := self.hold(verb, ref)) is not None:
            await event.wait()

    async def _answer(self, verb: str, ref: ObjectRef) -> None:
        if self.late is not None and (event := self.late(verb, ref)) is not None:
            await event.wait()

    async def _let_in(self, verb: str, ref: ObjectRef) -> None:
        self._counts[verb] += 1
        if verb == "pulse":
            await self._held(verb, ref)
        else:
            async with self._in_flight.call(str(ref)):
                await self._held(verb, ref)
        if self.refuse is not None and (error := self.refuse(verb, ref)) is not None:
            raise error

    async def _followed(
        self, resource: Resource, namespace: str, selector: str, queue: Listener
    ) -> AsyncIterator[WatchEvent]:
        await self._enter("list", resource, namespace, "", one=False)
        listed = self._listed(resource, namespace, selector)
        while not queue.empty():
            queue.get_nowait()  # the list has it
        version = str(self._store.revision)
        for body, raw in listed:
            yield _event(EventType.LISTED, body, raw)
        yield WatchEvent(EventType.SYNCED, resource_version=version)
        self._counts["watch"] += 1
        shown = {(body["metadata"].get("namespace", ""), body["metadata"]["name"]) for body, _ in listed}
        while True:
            change = await queue.get()
            if change is None:
                raise ClusterError("the watch was dropped", about=str(resource.group_kind), reason="Closed")
            stored, ref, body = change
            if ref.group_kind != resource.group_kind or namespace not in ("", ref.namespace):
                continue
            kind = _as_seen(stored, (ref.namespace, ref.name), shown, matches=_selects(selector, body))
            if kind is not None:
                yield _event(kind, body, _encoded(resource, body))

    def _listed(self, resource: Resource, namespace: str, selector: str) -> Pairs:
        found = self._store.select(resource.group_kind, namespace if resource.namespaced else "")
        return [(body, _encoded(resource, body)) for _, body in found if _selects(selector, body)]

    def _present(self, resource: Resource, ref: ObjectRef) -> Object:
        live = self._store.get(ref)
        if live is None:
            words = f'{_plural(resource)} "{ref.name}" not found'
            raise ClusterError(words, about=str(ref), status=404, reason="NotFound")
        return live

    def _written(
        self, resource: Resource, ref: ObjectRef, live: Object | None, new: Object, *, dry_run: bool
    ) -> Applied:
        if ref.namespace and self._store.get(ObjectRef("", "Namespace", "", ref.namespace)) is None:
            words = f'namespaces "{ref.namespace}" not found'
            raise ClusterError(words, about=str(ref), status=404, reason="NotFound")
        if new is live:
            return Applied(_encoded(resource, new), created=False)
        if dry_run:
            made = settled(new, live, uid=self._store.new_uid(), now=self._clock.now())
            return Applied(_encoded(resource, made), created=live is None)
        return Applied(_encoded(resource, self._put(ref, new, live)), created=live is None)

    def _put(self, ref: ObjectRef, new: Object, live: Object | None) -> Object:
        made = settled(new, live, uid=self._store.new_uid(), now=self._clock.now())
        if ref.group_kind == _DEFINITIONS:
            self._served.define(made)
            words = {"status": "True", "type": "Established", "reason": "InitialNamesAccepted"}
            made = {**made, "status": {**(made.get("status") or {}), "conditions": [words]}}
        stored = self._store.put(ref, made)
        if stored["metadata"].get("deletionTimestamp") and not stored["metadata"].get("finalizers"):
            self._store.remove(ref)
        return stored


def _place(body: Object) -> tuple[str, str]:
    metadata = body.get("metadata") or {}
    return metadata.get("namespace") or "", metadata.get("name") or ""


def _plural(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _modified(ref: ObjectRef) -> ClusterError:
    words = "the object has been modified; please apply your changes to the latest version and try again"
    return ClusterError(
        f'Operation cannot be fulfilled on "{ref.name}": {words}', about=str(ref), status=409, reason="Conflict"
    )


def _encoded(resource: Resource, body: Object) -> bytes:
    return _encode({**body, "kind": resource.kind, "apiVersion": join_api_version(resource.group, resource.version)})


def _event(kind: EventType, body: Object, raw: bytes) -> WatchEvent:
    metadata = body["metadata"]
    return WatchEvent(kind, metadata.get("namespace", ""), metadata["name"], metadata["resourceVersion"], raw)


def _as_seen(
    kind: EventType, place: tuple[str, str], shown: set[tuple[str, str]], *, matches: bool
) -> EventType | None:
    """What one watcher is told of a change: an object that comes to match its selector is ADDED, one that ceases to is DELETED."""
    if kind is EventType.DELETED or not matches:
        if place not in shown:
            return None
        shown.discard(place)
        return EventType.DELETED
    kind = EventType.MODIFIED if place in shown else EventType.ADDED
    shown.add(place)
    return kind


def _selects(selector: str, body: Object) -> bool:
    return parse_labels(selector).matches(body["metadata"].get("labels"))
