"""Feeds: the changes of a custom resource as one version shows them, converted once for all who watch it in that version."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures
from kilde.kubeapi.storage.records import Change, Record
from kilde.kubeapi.webhooks.settling import settled
from kilde.kubeapi.world import World

_AT_ONCE = 200  # changes that are converted together
_MOST_WAITING = 50_000


@dataclass(frozen=True, eq=False)
class Listener:
    """Who is told: of each change, and of what ended the feed."""

    changed: Callable[[Change], None]
    failed: Callable[[ApiError], None]


async def shown_records(world: World, kind: Kind, records: Sequence[Record]) -> list[Record]:
    """Records as the kind's version shows them. ApiError where its webhook cannot convert them."""
    return await settled(world.webhooks, lambda: kind.shown(records))


async def shown_changes(world: World, kind: Kind, changes: Sequence[Change]) -> list[Change]:
    """Changes as the kind's version shows them. ApiError where its webhook cannot convert them."""
    records = [one for change in changes for one in (change.before, change.after, change.last) if one is not None]
    found = iter(await shown_records(world, kind, records))
    return [
        change._replace(
            before=change.before and next(found),
            after=change.after and next(found),
            last=change.last and next(found),
        )
        for change in changes
    ]


class Feed:
    """Follows the store for one version of a resource, for as long as somebody listens."""

    def __init__(self, world: World, kind: Kind) -> None:
        self._world, self.kind = world, kind
        self._listeners: dict[Listener, None] = {}
        self._waiting: deque[Change] = deque()
        self._wake = asyncio.Event()
        self._stop = world.store.follow(kind.storage, self._take)
        self._task = asyncio.get_running_loop().create_task(self._run())
        self.ended = False

    def add(self, listener: Listener) -> None:
        """Tells the listener of changes from here on; those of before may still come."""
        self._listeners[listener] = None

    def drop(self, listener: Listener) -> None:
        """Tells the listener nothing more; the feed ends with its last one."""
        self._listeners.pop(listener, None)
        if not self._listeners:
            self._end()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self._stop()
            self._task.cancel()

    def _take(self, change: Change) -> None:
        self._waiting.append(change)
        self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._tell()
        except ApiError as error:
            for listener in tuple(self._listeners):
                listener.failed(error)
            self._end()

    async def _tell(self) -> None:
        while self._waiting:
            if len(self._waiting) > _MOST_WAITING:
                raise failures.expired("too old resource version: the conversion webhook is too slow")
            batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            for change in await shown_changes(self._world, self.kind, batch):
                for listener in tuple(self._listeners):
                    listener.changed(change)


class Feeds:
    """The feeds that are open, one for each kind that is watched."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[int, Feed] = {}

    def of(self, kind: Kind) -> Feed:
        """The feed of a kind; begun if there is none."""
        found = self._open.get(id(kind))  # a feed keeps its kind, so nothing else can have its id
        if found is None or found.ended:
            self._open = {key: feed for key, feed in self._open.items() if not feed.ended}
            found = self._open[id(kind)] = Feed(self._world, kind)
        return found
