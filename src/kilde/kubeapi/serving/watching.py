"""Watch streams: a bounded buffer for each watcher, filled as changes are made and sent a few milliseconds at a time."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.negotiate import Form
from kilde.kubeapi.logic.options import ListOptions
from kilde.kubeapi.resources import tables
from kilde.kubeapi.resources.tables import Include
from kilde.kubeapi.serving.http import Request, Send
from kilde.kubeapi.serving.render import table
from kilde.kubeapi.storage.records import Change, Record
from kilde.kubeapi.verbs.read import Selection, selection
from kilde.kubeapi.world import World

_MOST_BYTES = 32 << 20
_GATHER = 0.003
_BOOKMARK_EVERY = 60.0
_DEFAULT_TIMEOUT = 1800
_INITIAL_END = "k8s.io/initial-events-end"
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-cache, private")]
_encode = msgspec.json.Encoder().encode


class Stream(NamedTuple):
    """How one client watches."""

    call: Call
    options: ListOptions
    form: Form
    include: Include


class Watcher:
    """What one watch has yet to send. `offer` is called by the store at each change of the resource."""

    def __init__(self, world: World, stream: Stream, chosen: Selection) -> None:
        self._world, self._stream, self._chosen = world, stream, chosen
        self._waiting: list[bytes] = []
        self._size = 0
        self._headers = True
        self.wake = asyncio.Event()
        self.version = world.store.version
        self.overrun = False

    def offer(self, change: Change) -> None:
        """Takes a change: it is sent if it concerns what is watched, as the selector sees it."""
        self.version = change.version
        namespace = self._stream.call.namespace
        if namespace and change.key.namespace != namespace:
            return
        was = change.before is not None and self._chosen.matches(change.before)
        now = change.after is not None and self._chosen.matches(change.after)
        if now and change.after is not None:
            self.event("MODIFIED" if was else "ADDED", change.after)
        elif was and change.before is not None:
            self.event("DELETED", change.last or _restamped(change.before, change.version))

    def event(self, kind: str, record: Record) -> None:
        """Queues an event; a watcher that falls too far behind is ended."""
        if self.overrun:
            return
        line = b'{"type":"%b","object":%b}\n' % (kind.encode(), self._written(record))
        self._waiting.append(line)
        self._size += len(line)
        if self._size > _MOST_BYTES:
            self.overrun = True
            self._waiting.clear()
        self.wake.set()

    def _written(self, record: Record) -> bytes:
        form, kind = self._stream.form, self._stream.call.kind
        if not form.kind:
            return kind.written(record)
        obj = kind.presented(record)
        if form.kind != "Table":
            return _encode(tables.partial(obj))
        version = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        include = self._stream.include
        made = table(kind, [obj], now=self._world.time(), include=include, metadata=version, headers=self._headers)
        self._headers = False
        return _encode(made)

    def bookmark(self, *, initial: bool = False) -> None:
        """Queues a bookmark: this resourceVersion has been seen."""
        resource = self._stream.call.kind.resource
        metadata: Object = {"resourceVersion": str(self.version)}
        if initial:
            metadata["annotations"] = {_INITIAL_END: "true"}
        obj: Object = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._stream.form.kind == "Table":
            obj = {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata,
                "columnDefinitions": None,
                "rows": None,
            }
            row = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
            obj |= {"metadata": {"resourceVersion": str(self.version)}, "rows": [{"cells": [], "object": row}]}
        elif self._stream.form.kind:
            obj |= {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        self._waiting.append(_encode({"type": "BOOKMARK", "object": obj}) + b"\n")
        self.wake.set()

    def error(self, error: ApiError) -> None:
        """Queues an ERROR event."""
        self._waiting.append(_encode({"type": "ERROR", "object": failures.status(error)}) + b"\n")
        self.wake.set()

    def drain(self) -> bytes:
        """Everything that waits."""
        found = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self.wake.clear()
        return found


def _restamped(before: Record, version: int) -> Record:
    obj = before.object()
    obj["metadata"]["resourceVersion"] = str(version)
    return Record(before.key, version, _encode(obj), before.labels)


class Watches:
    """All open watches of a server, so that stopping ends them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: set[Watcher] = set()
        self.stopping = False

    @property
    def count(self) -> int:
        return len(self._open)

    def stop(self) -> None:
        """Ends every watch."""
        self.stopping = True
        for watcher in self._open:
            watcher.wake.set()

    async def serve(self, request: Request, stream: Stream, send: Send) -> None:
        """Sends events until the client goes, the time is up or the server stops. ApiError before the first byte."""
        chosen = selection(stream.call.kind, stream.options, stream.call.name)
        watcher = Watcher(self._world, stream, chosen)
        ended = self._begin(watcher, stream, chosen)
        self._open.add(watcher)
        try:
            async with asyncio.TaskGroup() as group:
                gone = group.create_task(_until_gone(request, watcher))
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                await send({"type": "http.response.body", "body": watcher.drain(), "more_body": True})
                if not ended.over:
                    await self._run(watcher, stream, send, gone)
                await send({"type": "http.response.body", "body": watcher.drain(), "more_body": False})
                gone.cancel()
        finally:
            ended.stop()
            self._open.discard(watcher)

    async def _run(self, watcher: Watcher, stream: Stream, send: Send, gone: "asyncio.Task[None]") -> None:
        loop = asyncio.get_running_loop()
        timeout = stream.options.timeout
        end = loop.time() + (timeout or _DEFAULT_TIMEOUT)
        next_bookmark = loop.time() + _BOOKMARK_EVERY
        while not gone.done() and not self.stopping:
            left = min(end, next_bookmark) - loop.time()
            if left > 0 and not watcher.wake.is_set():
                await _wait(watcher.wake, left)
            if watcher.overrun:
                watcher.error(failures.expired("too old resource version: the watch is too slow"))
                return
            now = loop.time()
            if now >= next_bookmark and stream.options.bookmarks:
                watcher.bookmark()
            if now >= next_bookmark:
                next_bookmark = now + _BOOKMARK_EVERY
            chunk = watcher.drain()
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await asyncio.sleep(_GATHER)
            if now >= end:
                if stream.options.bookmarks:
                    watcher.bookmark()
                return

    def _begin(self, watcher: Watcher, stream: Stream, chosen: Selection) -> "_Subscription":
        """Queues what is there already and subscribes to what comes, with nothing between."""
        options, call, store = stream.options, stream.call, self._world.store
        initial = options.version in (None, 0) if options.initial_events is None else options.initial_events
        if initial:
            for record in store.all(call.kind.storage, call.namespace):
                if chosen.matches(record):
                    watcher.event("ADDED", record)
            if options.initial_events and options.bookmarks:
                watcher.bookmark(initial=True)
        elif options.version and options.version < store.version:
            if not store.history.reaches(options.version):
                oldest = store.history.floor
                watcher.error(failures.expired(f"too old resource version: {options.version} ({oldest})"))
                return _Subscription(over=True)
            for change in store.history.after(options.version):
                if change.key.resource == call.kind.storage:
                    watcher.offer(change)
        return _Subscription(store.listen(call.kind.storage, watcher.offer))


class _Subscription:
    """A listener's registration; `over` if the stream has already come to its end."""

    def __init__(self, stop: Callable[[], None] | None = None, *, over: bool = False) -> None:
        self._stop, self.over = stop, over

    def stop(self) -> None:
        if self._stop is not None:
            self._stop()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def _until_gone(request: Request, watcher: Watcher) -> None:
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            watcher.wake.set()
            return
