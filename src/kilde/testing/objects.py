"""ObjectStore: the objects of a FakeCluster, their versions, and who watches them."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any, TypeAlias

from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.ports.cluster import EventType

Listener: TypeAlias = "asyncio.Queue[tuple[EventType, ObjectRef, Object] | None]"  # None: the stream was dropped


class ObjectStore:
    """Objects by reference; every change has a number and is told to all who listen. Bodies are never changed in place."""

    def __init__(self) -> None:
        self.revision = 1
        self._objects: dict[ObjectRef, Object] = {}
        self._listeners: list[Listener] = []
        self._uids = itertools.count(1)

    def get(self, ref: ObjectRef) -> Object | None:
        return self._objects.get(ref)

    def select(self, kind: GroupKind, namespace: str = "") -> list[tuple[ObjectRef, Object]]:
        """Objects of a kind, in one namespace or ("") in all, by namespace and name."""
        found = [
            (ref, body)
            for ref, body in self._objects.items()
            if ref.group_kind == kind and namespace in ("", ref.namespace)
        ]
        return sorted(found, key=lambda pair: pair[0])

    def new_uid(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._uids):012d}"

    def put(self, ref: ObjectRef, body: Object) -> Object:
        """Stores a body at the next version and gives it back as stored."""
        kind = EventType.MODIFIED if ref in self._objects else EventType.ADDED
        stored = self._numbered(body)
        self._objects[ref] = stored
        self._tell(kind, ref, stored)
        return stored

    def remove(self, ref: ObjectRef) -> None:
        """Removes an object, and what it alone owned (ownerReferences by uid), as a garbage collector would."""
        body = self._objects.pop(ref, None)
        if body is None:
            return
        if ref.group_kind == GroupKind("", "Namespace"):
            for inside in [child for child in self._objects if child.namespace == ref.name]:
                self.remove(inside)
        self._tell(EventType.DELETED, ref, self._numbered(body))
        uid = body["metadata"].get("uid")
        for child, owned in list(self._objects.items()):
            owners = owned["metadata"].get("ownerReferences") or ()
            if owners and all(owner.get("uid") == uid for owner in owners):
                self.remove(child)

    def orphan(self, ref: ObjectRef) -> None:
        """Takes the object's name out of what it owns."""
        uid = (self._objects.get(ref) or {"metadata": {}})["metadata"].get("uid")
        for child, owned in list(self._objects.items()):
            owners: list[Any] = owned["metadata"].get("ownerReferences") or []
            left = [owner for owner in owners if owner.get("uid") != uid]
            if len(left) != len(owners):
                self.put(child, {**owned, "metadata": {**owned["metadata"], "ownerReferences": left}})

    def listen(self) -> Listener:
        queue: Listener = asyncio.Queue()
        self._listeners.append(queue)
        return queue

    def unlisten(self, queue: Listener) -> None:
        self._listeners.remove(queue)

    def drop_listeners(self) -> None:
        """Tells all who listen that their stream is lost."""
        for queue in self._listeners:
            queue.put_nowait(None)

    def refs(self) -> Iterator[ObjectRef]:
        return iter(sorted(self._objects))

    def _numbered(self, body: Object) -> Object:
        self.revision += 1
        return {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.revision)}}

    def _tell(self, kind: EventType, ref: ObjectRef, body: Object) -> None:
        for queue in self._listeners:
            queue.put_nowait((kind, ref, body))
