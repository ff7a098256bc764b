"""Watching: list in pages, then stream for ever; drops are resumed, 410 lists anew, a server that is away is waited for."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec

from kilde.adapters.cluster import failures, paths, wire
from kilde.adapters.cluster.limits import ClientLimits
from kilde.adapters.cluster.transport import Call, Transport
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError
from kilde.ports.clock import Clock
from kilde.ports.cluster import EventType, Resource, WatchEvent

_CHANGES: Final = {"ADDED": EventType.ADDED, "MODIFIED": EventType.MODIFIED, "DELETED": EventType.DELETED}
_JSON: Final = "application/json"
_PROOF: Final = 5.0  # seconds after which a stream without a line counts as one that worked
_decode_status = msgspec.json.Decoder(failures.Status).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is listed or watched."""

    resource: Resource
    namespace: str = ""
    label_selector: str = ""
    metadata_only: bool = False

    @property
    def path(self) -> str:
        return paths.collection(self.resource, self.namespace)

    @property
    def about(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.resource.group_kind}{where}"

    def accept(self, kind: str) -> str:
        """The form that is asked for: a server that knows no such form answers with whole objects."""
        return f"{_JSON};as={kind};g=meta.k8s.io;v=v1,{_JSON}" if self.metadata_only else _JSON

    def query(self, **more: str) -> dict[str, str]:
        if self.label_selector:
            more["labelSelector"] = self.label_selector
        return {key: value for key, value in more.items() if value}


async def pages(transport: Transport, scope: Scope, limits: ClientLimits) -> AsyncGenerator[wire.Listing, None]:
    """The pages of one consistent list. Raises ClusterError; 410 when the list took longer than the server remembers."""
    token = ""
    while True:
        call = Call(
            method="GET",
            path=scope.path,
            verb="list",
            about=scope.about,
            query=scope.query(**{"limit": str(limits.page), "continue": token}),
            accept=scope.accept("PartialObjectMetadataList"),
            patience=limits.listing,
        )
        page = wire.listing((await transport.request(call)).body, scope.about)
        yield page
        token = page.metadata.next_page
        if not token:
            return


class Watch:
    """One watch that never ends by itself."""

    def __init__(self, transport: Transport, clock: Clock, limits: ClientLimits, scope: Scope) -> None:
        self._transport, self._clock, self._limits, self._scope = transport, clock, limits, scope
        self._version = ""  # the last one seen; "": a list is due
        self._failures = 0  # in a row, without anything that worked between
        self._works = False  # since the last failure a list came whole or a stream held
        self._streamed = False  # since the last list began a stream held
        self._pauses = Backoff(first=limits.first_pause, factor=2.0, ceiling=limits.longest_pause)

    async def events(self) -> AsyncIterator[WatchEvent]:
        """LISTED…, SYNCED, then changes; BROKEN once for each attempt that failed, before the pause that follows it."""
        while True:
            try:
                if not self._version:
                    async with aclosing(self._list()) as listed:
                        async for event in listed:
                            yield event
                async with aclosing(self._stream()) as changes:
                    async for event in changes:
                        yield event
            except ClusterError as error:
                if not self._may_go_on_at_once(error):
                    yield WatchEvent(EventType.BROKEN, error=str(error))
                    await self._pause(error)

    async def _list(self) -> AsyncGenerator[WatchEvent, None]:
        version = ""
        self._streamed = (
            False  # so that a list which breaks off is told, whatever broke it: who listens must forget its part
        )
        async with aclosing(pages(self._transport, self._scope, self._limits)) as found:
            async for page in found:
                version = page.metadata.resourceVersion
                for item in page.items or ():
                    yield self._event(EventType.LISTED, bytes(item))
        self._version, self._works = version, True
        yield WatchEvent(EventType.SYNCED, resource_version=version)

    async def _stream(self) -> AsyncGenerator[WatchEvent, None]:
        begun = self._clock.monotonic()
        seconds = int(self._limits.watch_shortest * (1 + self._clock.dice()))
        call = Call(
            method="GET",
            path=self._scope.path,
            verb="watch",
            about=self._scope.about,
            query=self._scope.query(
                watch="true",
                allowWatchBookmarks="true",
                resourceVersion=self._version,
                timeoutSeconds=str(seconds),
            ),
            accept=self._scope.accept("PartialObjectMetadata"),
        )
        try:
            async with aclosing(self._transport.lines(call, idle=self._limits.watch_idle)) as chunks:
                async for lines in chunks:
                    for line in lines:
                        event = self._read(line)
                        if event is not None:
                            yield event
        finally:
            if self._clock.monotonic() - begun >= _PROOF:
                self._holds()
        if not self._works:
            raise ClusterError("the server ends the watch as soon as it begins", about=self._scope.about)
        self._works = self._streamed

    def _read(self, line: bytes) -> WatchEvent | None:
        """The event of a line; None for a bookmark or an empty line. Raises ClusterError for an ERROR event."""
        if not line:
            return None
        said = wire.event(line, self._scope.about)
        raw = bytes(said.object)
        if said.type == "ERROR":
            raise _error(raw, self._scope.about)
        self._holds()
        if said.type == "BOOKMARK":
            self._version = wire.head(raw, self._scope.about).metadata.resourceVersion or self._version
            return None
        change = _CHANGES.get(said.type)
        if change is None:
            raise ClusterError(f"unknown event '{said.type[:40]}'", about=self._scope.about, reason="Invalid")
        event = self._event(change, raw)
        self._version = event.resource_version
        return event

    def _event(self, change: EventType, raw: bytes) -> WatchEvent:
        head = wire.head(raw, self._scope.about)
        return WatchEvent(
            change,
            head.metadata.namespace,
            head.metadata.name,
            head.metadata.resourceVersion,
            wire.completed(raw, head.kind, self._scope.resource),
        )

    def _holds(self) -> None:
        self._works = self._streamed = True
        self._failures = 0

    def _may_go_on_at_once(self, error: ClusterError) -> bool:
        """Whether the failure is the first after something that worked: then one more attempt costs nobody anything."""
        is_gone = error.status == 410
        worked = self._streamed if is_gone else self._works and error.retry_after is None
        if is_gone:
            self._version = ""
        self._works = False
        return worked and bool(self._version or is_gone)

    async def _pause(self, error: ClusterError) -> None:
        self._failures += 1
        pause = self._pauses.delay(self._failures, dice=self._clock.dice())
        await self._clock.sleep(max(pause, min(error.retry_after or 0.0, 300.0)))


def _error(raw: bytes, about: str) -> ClusterError:
    try:
        return failures.from_status(_decode_status(raw), about)
    except (msgspec.DecodeError, RecursionError):
        return ClusterError("the watch broke off with an error nobody can read", about=about, reason="Invalid")
