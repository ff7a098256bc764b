"""Objects that somebody waits for, whoever they are of: watched while they are waited for, and no longer.

Apart from the live view, which holds what is ours. One watch for each kind and namespace of a cluster in which something is waited for.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent

Key: TypeAlias = tuple[str, ObjectRef]  # the cluster's name, and the object
_Place: TypeAlias = tuple[str, GroupKind, str]
_decode = msgspec.json.Decoder(dict).decode


@dataclass(slots=True)
class _Watched:
    """One kind in one namespace: the objects that are waited for, as they are, and by whom."""

    waiters: dict[str, set[str]] = field(default_factory=dict)  # an object's name → applications
    there: dict[str, bytes] = field(default_factory=dict)
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)  # it is synced, or is known not to be: `error`
    task: asyncio.Task[None] | None = None
    error: str = ""


class Awaited:
    """`wake` is told the application for which an object has changed."""

    def __init__(
        self, start: Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]], wake: Callable[[str], None]
    ) -> None:
        self._start, self._wake = start, wake
        self._watched: dict[_Place, _Watched] = {}

    async def look(
        self, waiter: str, key: Key, cluster: Cluster, resource: Resource, *, patience: float
    ) -> Object | None:
        """The object as it is (None: not there); the waiter is told of its changes from now on. ClusterError where nothing is told."""
        name, ref = key
        one = self._watched.setdefault(_place(key), _Watched())
        if ref.name not in one.waiters and one.task is not None:
            one.task.cancel()  # what was passed over is listed again
            one.task = None
            one.synced.clear()  # the same events: others may be waiting for them
            one.answered.clear()
        one.waiters.setdefault(ref.name, set()).add(waiter)
        if one.task is None:
            one.task = self._start(
                f"await {resource.plural} {name}", self._follow(one, cluster, resource, ref.namespace)
            )
        try:
            async with asyncio.timeout(patience):
                while not one.answered.is_set():  # it may be listed anew before this goes on
                    await one.answered.wait()
        except TimeoutError:
            one.error = f"no answer within {patience:.0f} s"
        if not one.synced.is_set():
            raise ClusterError(one.error, about=f"watching {resource.plural}")
        raw = one.there.get(ref.name)
        return _decode(raw) if raw is not None else None

    def keep(self, waiter: str, keys: Iterable[Key]) -> None:
        """The waiter waits for no other objects than these; watches that nobody needs end."""
        kept = {(_place(key), key[1].name) for key in keys}
        for place, one in list(self._watched.items()):
            for name, waiters in list(one.waiters.items()):
                if (place, name) not in kept:
                    waiters.discard(waiter)
                if not waiters:
                    del one.waiters[name]
                    one.there.pop(name, None)
            if not one.waiters:
                del self._watched[place]
                if one.task is not None:
                    one.task.cancel()

    def lost(self, cluster: str) -> None:
        """The client of that cluster has ended: whoever waits there looks again."""
        for place, one in list(self._watched.items()):
            if place[0] == cluster:
                del self._watched[place]
                if one.task is not None:
                    one.task.cancel()
                for waiter in {name for names in one.waiters.values() for name in names}:
                    self._wake(waiter)

    @property
    def watches(self) -> int:
        return len(self._watched)

    async def _follow(self, one: _Watched, cluster: Cluster, resource: Resource, namespace: str) -> None:
        listed: set[str] = set()
        async for event in cluster.watch(resource, namespace):
            if event.type is EventType.BROKEN:
                one.error, listed = event.error, set()
                one.answered.set()
            elif event.type is EventType.SYNCED:
                for name in one.there.keys() - listed:
                    self._gone(one, name)
                was_refused = one.error and not one.synced.is_set()
                one.error, listed = "", set()
                one.synced.set()
                one.answered.set()
                if was_refused:
                    for name in one.waiters:
                        self._tell(one, name)
            elif event.type is EventType.DELETED:
                self._gone(one, event.name)
            else:
                if event.type is EventType.LISTED:
                    listed.add(event.name)
                self._changed(one, event)

    def _changed(self, one: _Watched, event: WatchEvent) -> None:
        if event.name in one.waiters:
            one.there[event.name] = event.raw
            self._tell(one, event.name)

    def _gone(self, one: _Watched, name: str) -> None:
        if one.there.pop(name, None) is not None:
            self._tell(one, name)

    def _tell(self, one: _Watched, name: str) -> None:
        if one.synced.is_set():
            for waiter in tuple(one.waiters.get(name, ())):
                self._wake(waiter)


def _place(key: Key) -> _Place:
    return key[0], key[1].group_kind, key[1].namespace
