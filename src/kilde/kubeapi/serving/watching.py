"""Watch streams: a bounded buffer for each watcher, filled as changes are made and sent a few milliseconds at a time."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterator
from typing import NamedTuple

import msgspec

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import as_empty
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.negotiate import Form
from kilde.kubeapi.logic.options import ListOptions
from kilde.kubeapi.resources import tables
from kilde.kubeapi.resources.reading import unversioned
from kilde.kubeapi.resources.tables import Include
from kilde.kubeapi.serving import events
from kilde.kubeapi.serving.feeds import Feeds, Listener, shown_changes, shown_records
from kilde.kubeapi.serving.http import Request, Send, warning_headers
from kilde.kubeapi.serving.render import in_version, table
from kilde.kubeapi.storage.records import Change, Record
from kilde.kubeapi.verbs.read import Selection, selection
from kilde.kubeapi.world import World

_MOST_BYTES = 8 << 20  # that one watcher may be behind; the lines are shared between watchers
_CHUNK = 256 << 10
_GATHER = 0.003
_BOOKMARK_EVERY = 60.0
_BOOKMARK_BEFORE_END = 2.0
_DEFAULT_TIMEOUT = 1800
_INITIAL_END = "k8s.io/initial-events-end"
_CACHING = (b"cache-control", b"no-cache, private")
_encode = msgspec.json.Encoder().encode


class Stream(NamedTuple):
    """How one client watches."""

    call: Call
    options: ListOptions
    form: Form
    include: Include


class Watcher:
    """What one watch has yet to send. `offer` is called by the store at each committed change of the resource."""

    def __init__(self, world: World, stream: Stream, chosen: Selection, lines: events.Lines) -> None:
        self._world, self._stream, self._chosen, self._lines = world, stream, chosen, lines
        self._present: Iterator[Record] = iter(())
        self._waiting: list[bytes] = []
        self._size = 0
        self._headers = True
        self._marked_end = False
        self.wake = asyncio.Event()
        self.version = self.began = world.store.version
        self.overrun = self.failed = False
        self.on_overrun: Callable[[], None] = lambda: None

    def offer(self, change: Change) -> None:
        """Takes a change: it is sent if it concerns what is watched, as the selector sees it."""
        if change.version <= max(self.began, self._stream.options.version or 0):
            return  # what was there when the watch began has it in it, and nobody asked for what comes before a later version
        self.version = change.version
        self.resumed(change)

    def resumed(self, change: Change) -> None:
        """The same for a change of the past."""
        namespace = self._stream.call.namespace
        if self.overrun or (namespace and change.key.namespace != namespace):
            return
        was = change.before is not None and self._chosen.matches(change.before)
        now = change.after is not None and self._chosen.matches(change.after)
        if now and change.after is not None:
            self._queue(self._line("MODIFIED" if was else "ADDED", change.after))
        elif was and change.before is not None:
            self._queue(self._line("DELETED", change.last or _restamped(change.before, change.version)))

    def present(self, records: Iterator[Record], *, mark_end: bool) -> None:
        """What is there already: sent before everything else, and written only as the client takes it."""
        self._present, self._marked_end = records, mark_end
        self.wake.set()

    def _queue(self, line: bytes) -> None:
        """A watcher that falls too far behind is ended."""
        self._waiting.append(line)
        self._size += len(line)
        if self._size > _MOST_BYTES:
            self.overrun = True
            self._waiting.clear()
            self._present = iter(())
            self.on_overrun()
        self.wake.set()

    def _line(self, event: str, record: Record) -> bytes:
        form, kind = self._stream.form, self._stream.call.kind
        if self._is_of_lists:
            return self._cut_short()
        if not form.kind:
            return self._lines.line(event, kind, record, form.media)
        return events.framed(event, self._shown(record), form.media)

    @property
    def _is_of_lists(self) -> bool:
        """Whether events were asked for as lists, which no object is: there the first one ends the stream, without a word."""
        return self._stream.form.kind == "PartialObjectMetadataList"

    def _cut_short(self) -> bytes:
        self.failed = True
        return b""

    def _shown(self, record: Record) -> Object:
        form, kind = self._stream.form, self._stream.call.kind
        obj = kind.tabled(record) if form.kind == "Table" else kind.presented(record)
        shown = self._table(obj) if form.kind == "Table" else tables.partial(unversioned(kind.storage, obj))
        return in_version(shown, form)

    def _table(self, obj: Object) -> Object:
        """A Table of one object; the first tells the columns."""
        version = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        kind, include, headers = self._stream.call.kind, self._stream.include, self._headers
        self._headers = False
        return table(kind, [obj], now=self._world.time(), include=include, metadata=version, headers=headers)

    def bookmark(self, *, initial: bool = False, version: int = 0) -> None:
        """Queues a bookmark: this resourceVersion (the newest, unless given) has been seen."""
        if self._is_of_lists:
            self._waiting.append(self._cut_short())
            return
        kind = self._stream.call.kind
        metadata: Object = {"resourceVersion": str(version or self.version)}
        if initial:
            metadata["annotations"] = {_INITIAL_END: "true"}
        obj: Object = {"kind": kind.resource.kind, "apiVersion": kind.resource.api_version}
        obj |= {**({} if kind.resource.custom else as_empty(kind.node)), "metadata": metadata}
        if self._stream.form.kind == "Table":
            obj = self._table(obj)
        elif self._stream.form.kind:
            obj = tables.partial(obj)
        obj = in_version(obj, self._stream.form)
        self._waiting.append(events.framed("BOOKMARK", obj, self._stream.form.media))
        self.wake.set()

    def error(self, error: ApiError) -> None:
        """Queues an ERROR event."""
        self._waiting.append(events.framed("ERROR", failures.status(error), self._stream.form.media))
        self.wake.set()

    def fail(self, error: ApiError) -> None:
        """Ends the stream with an ERROR event."""
        self.error(error)
        self.failed = True

    def drain(self) -> bytes:
        """What is to be sent next: a part of what is there already, then everything that waits. b"" if there is nothing."""
        parts: list[bytes] = []
        size = 0
        for record in self._present:
            parts.append(self._line("ADDED", record))
            size += len(parts[-1])
            if size > _CHUNK:
                return b"".join(parts)
        if self._marked_end:
            self._marked_end = False
            self.bookmark(initial=True, version=self.began)
            parts.append(self._waiting.pop())
        parts += self._waiting
        self._waiting.clear()
        self._size = 0
        self.wake.clear()
        return b"".join(parts)


def _restamped(before: Record, version: int) -> Record:
    obj = before.object()
    obj["metadata"]["resourceVersion"] = str(version)
    return type(before)(before.key, version, _encode(obj), before.labels)


class Watches:
    """All open watches of a server, so that stopping ends them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lines = events.Lines()
        self._open: set[Watcher] = set()
        self._feeds = Feeds(world)
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
        watcher = Watcher(self._world, stream, chosen, self._lines)
        begin = self._begin_shown if stream.call.kind.converts else self._begin
        subscription = begin(watcher, stream, chosen)
        self._open.add(watcher)
        try:
            await subscription.ready
            await self._world.store.settled(watcher.began)
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [
                        events.CONTENT_TYPES[stream.form.media],
                        _CACHING,
                        *warning_headers(stream.call.warnings),
                    ],
                }
            )
            await self._stream(request, stream, send, watcher, over=subscription.over or watcher.failed)
            if watcher.overrun:
                watcher.error(failures.expired("too old resource version: the watch is too slow"))
                request.shed()
            last = watcher.drain()
            await send({"type": "http.response.body", "body": last, "more_body": False})
        finally:
            subscription.stop()
            self._open.discard(watcher)

    async def _stream(self, request: Request, stream: Stream, send: Send, watcher: Watcher, *, over: bool) -> None:
        """Sends until it is time to end. A client that does not read is not waited for once it is too far behind."""
        if over:
            return
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(_until_gone(request, watcher))
            try:
                async with asyncio.timeout(None) as limit:
                    watcher.on_overrun = lambda: limit.reschedule(loop.time())
                    await self._run(watcher, stream, send, gone)
            except TimeoutError:
                if not watcher.overrun:
                    raise
            finally:
                watcher.on_overrun = lambda: None
                gone.cancel()

    async def _run(self, watcher: Watcher, stream: Stream, send: Send, gone: "asyncio.Task[None]") -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + (stream.options.timeout or _DEFAULT_TIMEOUT)
        next_bookmark = _next_bookmark(loop.time(), end)
        await send({"type": "http.response.body", "body": watcher.drain(), "more_body": True})
        while not gone.done() and not self.stopping and not watcher.overrun and not watcher.failed:
            left = min(end, next_bookmark) - loop.time()
            if left > 0 and not watcher.wake.is_set():
                await _wait(watcher.wake, left)
            now = loop.time()
            if now >= next_bookmark:
                next_bookmark = _next_bookmark(now, end)
                if stream.options.bookmarks:
                    watcher.bookmark()
            chunk = watcher.drain()
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await asyncio.sleep(_GATHER)
            if now >= end:
                return

    def _begin(self, watcher: Watcher, stream: Stream, chosen: Selection) -> "_Subscription":
        """Queues what is there already and subscribes to what comes, with nothing between."""
        store, storage = self._world.store, stream.call.kind.storage
        if stream.options.initial_events and (stream.options.version or 0) > store.version:
            watcher.error(failures.too_large_version(stream.options.version or 0, store.version))
            return _Subscription(over=True)
        if _wants_all(stream.options):
            self._present(watcher, stream, filter(chosen.matches, store.all(storage, stream.call.namespace)))
        else:
            past = self._past(watcher, stream)
            if past is None:
                return _Subscription(over=True)
            for change in past:
                watcher.resumed(change)
        return _Subscription(store.follow(storage, watcher.offer))

    def _begin_shown(self, watcher: Watcher, stream: Stream, chosen: Selection) -> "_Subscription":
        """The same where a webhook converts: what comes waits until what is there already has been converted."""
        kind, store = stream.call.kind, self._world.store
        records = list(store.all(kind.storage, stream.call.namespace)) if _wants_all(stream.options) else None
        past = [] if records is not None else self._past(watcher, stream)
        if past is None:
            return _Subscription(over=True)
        held: list[Change] | None = []
        listener = Listener(lambda change: watcher.offer(change) if held is None else held.append(change), watcher.fail)
        feed = self._feeds.of(kind)
        feed.add(listener)

        async def ready() -> None:
            nonlocal held
            if records is not None:
                shown = await shown_records(self._world, kind, records)
                self._present(watcher, stream, filter(chosen.matches, shown))
            for change in await shown_changes(self._world, kind, past):
                watcher.resumed(change)
            for change in held or ():
                watcher.offer(change)
            held = None

        return _Subscription(lambda: feed.drop(listener), ready=ready())

    def _present(self, watcher: Watcher, stream: Stream, records: Iterator[Record]) -> None:
        options = stream.options
        watcher.present(records, mark_end=bool(options.initial_events and options.bookmarks))

    def _past(self, watcher: Watcher, stream: Stream) -> list[Change] | None:
        """What has changed since the resourceVersion that was asked for; None, and an ERROR event, if nobody knows any more."""
        asked, store = stream.options.version, self._world.store
        if not asked or asked >= store.version:
            return []
        oldest = max(store.history.floor, stream.call.kind.begun)
        if asked < oldest:
            watcher.error(failures.expired(f"too old resource version: {asked} ({oldest})"))
            return None
        return [change for change in store.history.after(asked) if change.key.resource == stream.call.kind.storage]


def _next_bookmark(now: float, end: float) -> float:
    """When the next bookmark is due: every minute, and once shortly before the end; a watch that is shorter has none."""
    due = min(now + _BOOKMARK_EVERY, end - _BOOKMARK_BEFORE_END)
    return due if due > now else math.inf


def _wants_all(options: ListOptions) -> bool:
    """Whether a watch begins with what is there already."""
    return options.version in (None, 0) if options.initial_events is None else options.initial_events


async def _at_once() -> None:
    """Nothing to wait for."""


class _Subscription:
    """A listener's registration; `over` if the stream has already come to its end. `ready` is awaited, once, before it begins."""

    def __init__(
        self,
        stop: Callable[[], None] | None = None,
        *,
        over: bool = False,
        ready: Coroutine[None, None, None] | None = None,
    ) -> None:
        self._stop, self.over = stop, over
        self.ready = ready or _at_once()

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
