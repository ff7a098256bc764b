"""LocalApi: the Api of interface.py, straight onto the verbs, for code in the server's own process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import TypeVar

from kilde.core.basics.values import Object
from kilde.core.objects.ref import split_api_version
from kilde.kubeapi.call import Call, User
from kilde.kubeapi.interface import ApiError, Event
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures, negotiate
from kilde.kubeapi.logic.options import DeleteOptions, ListOptions, WriteOptions
from kilde.kubeapi.storage.records import Change, Record
from kilde.kubeapi.verbs import admit, apply, create, delete, patch, read, subresources, update
from kilde.kubeapi.webhooks.settling import settled
from kilde.kubeapi.world import World

_T = TypeVar("_T")
_MOST_WAITING = 200_000
_GROUPS = ("system:masters", "system:authenticated")


class LocalApi:
    """Keeps the promises of interface.Api. The caller is trusted; what it sends is judged as anybody's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _kind(self, resource: str) -> Kind:
        found = self._world.kinds.named(resource)
        if found is None:
            raise failures.no_such_resource()
        return found

    def _call(
        self,
        resource: str,
        namespace: str,
        name: str = "",
        *,
        manager: str = "",
        subresource: str = "",
        force: bool = False,
    ) -> Call:
        kind = self._kind(resource)
        if not kind.resource.namespaced:
            namespace = ""
        user = User(f"system:{manager}" if manager else "system:apiserver", _GROUPS)
        return Call(kind, namespace, name, subresource, WriteOptions(manager=manager, force=force), user)

    async def _settled(self, call: Call, act: Callable[[], _T]) -> _T:
        return await settled(self._world.webhooks, act, call.memory, call.warnings)

    async def _presented(self, call: Call, record: Record) -> Object:
        return await self._settled(call, lambda: call.kind.presented(record))

    async def get(self, resource: str, namespace: str, name: str) -> Object:
        call = self._call(resource, namespace, name)
        return await self._presented(call, await self._settled(call, lambda: read.get(self._world, call, {})))

    async def list(self, resource: str, namespace: str | None = None, *, label_selector: str = "") -> list[Object]:
        call = self._call(resource, namespace or "")
        wanted = ListOptions(label_selector=label_selector)
        page = await self._settled(call, lambda: read.listed(self._world, call, wanted))
        return [call.kind.presented(record) for record in page.records]

    async def create(
        self, resource: str, namespace: str, body: Object, *, manager: str, name: str = "", subresource: str = ""
    ) -> Object:
        call = self._call(resource, namespace, name, manager=manager, subresource=subresource)
        if subresource:
            return await self._settled(call, lambda: subresources.post(self._world, call, own(body)))
        obj = own(body)
        admit.check_kind(call.kind, obj)
        typed = admit.typed(call, obj)
        made = await self._settled(call, lambda: create.create(self._world, call, own(typed)))
        return await self._presented(call, made)

    async def update(self, resource: str, body: Object, *, manager: str, subresource: str = "") -> Object:
        meta = body.get("metadata") or {}
        namespace, name = str(meta.get("namespace") or ""), str(meta.get("name") or "")
        call = self._call(resource, namespace, name, manager=manager, subresource=subresource)
        obj = own(body)
        admit.check_kind(call.kind, obj)
        typed = admit.typed(call, obj)
        record, _ = await self._settled(call, lambda: update.update(self._world, call, own(typed)))
        return await self._presented(call, record)

    async def update_status(self, resource: str, body: Object, *, manager: str) -> Object:
        return await self.update(resource, body, manager=manager, subresource="status")

    async def patch(
        self, resource: str, namespace: str, name: str, change: Object, *, manager: str, subresource: str = ""
    ) -> Object:
        call = self._call(resource, namespace, name, manager=manager, subresource=subresource)
        record = await self._settled(call, lambda: patch.change(self._world, call, negotiate.MERGE, change))
        return await self._presented(call, record)

    async def apply(
        self, resource: str, body: Object, *, manager: str, force: bool = False, subresource: str = ""
    ) -> Object:
        meta = body.get("metadata") or {}
        namespace, name = str(meta.get("namespace") or ""), str(meta.get("name") or "")
        call = self._call(resource, namespace, name, manager=manager, subresource=subresource, force=force)
        record, _ = await self._settled(call, lambda: apply.applied(self._world, call, own(body)))
        return await self._presented(call, record)

    async def apply_manifest(self, body: Object, *, manager: str) -> Object:
        """Server-side applies what somebody wrote, by force, in the version it is written in; a namespace not given is `default`."""
        group, version = split_api_version(str(body.get("apiVersion") or ""))
        found = self._world.kinds.catalog.of_kind(group, version, str(body.get("kind") or ""))
        kind = self._world.kinds.at(group, version, found.plural) if found is not None else None
        if kind is None:
            what = f'no matches for kind "{body.get("kind", "")}" in version "{body.get("apiVersion", "")}"'
            raise ApiError(404, "NotFound", what)
        meta = {**(body.get("metadata") or {})}
        if kind.resource.namespaced:
            meta.setdefault("namespace", "default")
        else:
            meta.pop("namespace", None)
        options = WriteOptions(manager=manager, force=True)
        user = User(f"system:{manager}", _GROUPS)
        call = Call(kind, str(meta.get("namespace") or ""), str(meta.get("name") or ""), "", options, user)
        record, _ = await self._settled(call, lambda: apply.applied(self._world, call, {**body, "metadata": meta}))
        return await self._presented(call, record)

    async def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace: int | None = None,
        propagation: str = "",
        uid: str = "",
        resource_version: str = "",
    ) -> Object:
        call = self._call(resource, namespace, name)
        options = DeleteOptions(grace, propagation, uid=uid or None, version=resource_version or None)
        record, _ = await self._settled(call, lambda: delete.delete(self._world, call, options))
        return await self._presented(call, record)

    async def watch(self, resources: Iterable[str]) -> AsyncIterator[Event]:
        stream = _Stream(self._world, {self._kind(name).storage: name for name in resources}, self._kind)
        try:
            while True:
                async for event in stream.events():
                    yield event
        finally:
            stream.stop()


def own(body: Object) -> Object:
    """A copy whose outer layers the verbs may change."""
    return {**body, "metadata": dict(body.get("metadata") or {})}


class _Stream:
    """The changes of several resources in the order they were made."""

    def __init__(self, world: World, names: dict[str, str], kind_of: Callable[[str], Kind]) -> None:
        self._names = names
        self._kinds = {storage: kind_of(name) for storage, name in names.items()}
        self._waiting: deque[tuple[str, str, Record]] = deque()
        self._wake = asyncio.Event()
        self._webhooks = world.webhooks
        for storage in names:
            self._waiting.extend(("ADDED", storage, record) for record in world.store.all(storage))
        self._stops = [world.store.listen(storage, self._take) for storage in names]

    def _take(self, change: Change) -> None:
        if change.undone and change.last is not None:
            # forgotten first: the state that comes back is older than the one that is known
            self._waiting.append(("DELETED", change.key.resource, change.last))
            if change.after is not None:
                self._waiting.append(("ADDED", change.key.resource, change.after))
        elif change.after is not None:
            self._waiting.append(("MODIFIED" if change.before else "ADDED", change.key.resource, change.after))
        elif change.last is not None:
            self._waiting.append(("DELETED", change.key.resource, change.last))
        self._wake.set()

    async def events(self) -> AsyncIterator[Event]:
        """What waits now; waits for something if nothing does."""
        if not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        if len(self._waiting) > _MOST_WAITING:
            raise ApiError(410, "Expired", "too old resource version: the watch is too slow")
        while self._waiting:
            kind, storage, record = self._waiting.popleft()
            shown = await settled(self._webhooks, partial(self._kinds[storage].presented, record))
            yield Event(self._names[storage], kind, shown)

    def stop(self) -> None:
        for stop in self._stops:
            stop()
