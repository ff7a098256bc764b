"""Following: objects of one kind and the Secrets of their names, watched; what changes is brought in step, one at a time each."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from kilde.core.basics.errors import INSTALL_CRDS, ClusterError
from kilde.core.basics.values import canonical
from kilde.core.secrets.taking_over import comes_back
from kilde.engine.derived.secret_writer import SECRETS, Key, Memory
from kilde.engine.queue import KeyedQueue
from kilde.engine.tasks import TaskOwner
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent

log = structlog.get_logger()

_WAIT_FOR_KIND = 5.0
_AGAIN, _DEFECT = 2.0, 60.0  # seconds after which a pass that failed is done again


class Maker(Protocol):
    """What makes the Secrets. `bring` gives the seconds after which to come again; None: what was said before holds."""

    memories: dict[Key, Memory]

    async def bring(self, key: Key, raw: bytes, *, there: bool, only_secret: bool) -> float | None: ...

    def forget(self, key: Key) -> None: ...


@dataclass(slots=True)
class _Source:
    raw: bytes
    decisive: bytes  # a hash of what decides: spec, annotations, uid


class Following:
    """`run` lasts until it is cancelled; `ready` is set once every object was listed. `namespaces` empty: all."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        resource: Resource,
        maker: Maker,
        *,
        namespaces: tuple[str, ...] = (),
        label_selector: str = "",
        parallel: int = 8,
    ) -> None:
        self._cluster, self._clock, self._resource, self._maker = cluster, clock, resource, maker
        self._namespaces, self._selector = namespaces or ("",), label_selector
        self.ready = asyncio.Event()
        self._sources: dict[Key, _Source] = {}
        self._secrets: set[Key] = set()
        self._why: dict[Key, set[str]] = {}
        self._latest: dict[Key, str] = {}  # resourceVersion of a Secret as the watch saw it last
        self._due: dict[Key, float] = {}  # when it is to be looked at again, whatever happens before
        self._queue: KeyedQueue[Key] | None = None
        self._slots = asyncio.Semaphore(parallel)

    async def run(self) -> None:
        """Waits until the kind is served, and follows."""
        await self._await_kind()
        async with TaskOwner() as tasks:
            self._queue = KeyedQueue(tasks, self._handle, name=self._resource.kind)
            for memory in (self._sources, self._secrets, self._why, self._due):
                memory.clear()
            listed = asyncio.Event()
            try:
                for namespace in self._namespaces:
                    tasks.start(
                        f"secrets of {self._resource.plural} {namespace}", self._follow_secrets(namespace, listed)
                    )
                    await listed.wait()
                    listed.clear()
                for namespace in self._namespaces:
                    tasks.start(f"{self._resource.plural} {namespace}", self._follow_sources(namespace))
                await tasks.failed.wait()
                assert tasks.fault is not None
                raise tasks.fault
            finally:
                self._queue.close()
                self._queue = None

    def retry_failed(self) -> None:
        """What did not come out may come out now."""
        for key, memory in self._maker.memories.items():
            if memory.failed:
                self._ask(key, "retry")

    async def _await_kind(self) -> None:
        told = False
        while True:
            try:
                discovery = await self._cluster.discovery(refresh=told)
                if discovery.resource(self._resource.group, self._resource.kind) is not None:
                    return
            except ClusterError as error:
                log.warning("waiting for the cluster", problem=str(error))
            if not told:
                log.info(
                    f"the cluster does not serve {self._resource.kind}s yet; waiting",
                    hint=INSTALL_CRDS,
                )
            told = True
            await self._clock.sleep(_WAIT_FOR_KIND)

    async def _follow_sources(self, namespace: str) -> None:
        listed: set[Key] = set()
        async for event in self._cluster.watch(self._resource, namespace, label_selector=self._selector):
            key = (event.namespace, event.name)
            match event.type:
                case EventType.BROKEN:
                    listed = set()
                    log.warning(f"the watch of {self._resource.kind}s broke", problem=event.error)
                case EventType.SYNCED:
                    for gone in [each for each in self._sources if each not in listed and namespace in ("", each[0])]:
                        self._forget(gone)
                    listed = set()
                    self.ready.set()
                case EventType.DELETED:
                    self._forget(key)
                case _:
                    if event.type is EventType.LISTED:
                        listed.add(key)
                    self._observe(key, event)

    def _observe(self, key: Key, event: WatchEvent) -> None:
        decisive = _decisive(event.raw)
        before = self._sources.get(key)
        self._sources[key] = _Source(event.raw, decisive)
        if before is None or before.decisive != decisive:
            self._ask(key, "source")

    def _forget(self, key: Key) -> None:
        if self._sources.pop(key, None) is not None:
            self._why.pop(key, None)
            self._due.pop(key, None)
            self._maker.forget(key)

    async def _follow_secrets(self, namespace: str, synced: asyncio.Event) -> None:
        listed: set[Key] = set()
        async for event in self._cluster.watch(SECRETS, namespace):
            key = (event.namespace, event.name)
            match event.type:
                case EventType.BROKEN:
                    listed = set()
                case EventType.SYNCED:
                    for gone in [each for each in self._secrets if each not in listed and namespace in ("", each[0])]:
                        self._secret_gone(gone, None)
                    listed = set()
                    synced.set()
                case EventType.DELETED:
                    self._secret_gone(key, event.raw)
                case _:
                    if event.type is EventType.LISTED:
                        listed.add(key)
                    self._secret_seen(key, event.resource_version)

    def _secret_seen(self, key: Key, version: str) -> None:
        self._secrets.add(key)
        if key not in self._sources:
            return
        self._latest[key] = version
        memory = self._maker.memories.get(key)
        if memory is None or memory.version != version:
            self._ask(key, "secret")

    def _secret_gone(self, key: Key, raw: bytes | None) -> None:
        self._secrets.discard(key)
        self._latest.pop(key, None)
        memory = self._maker.memories.get(key)
        if key not in self._sources or memory is None:
            return
        if raw is None or memory.failed or comes_back(msgspec.json.decode(raw), self._resource.kind):
            self._ask(key, "gone")

    def _ask(self, key: Key, why: str) -> None:
        if self._queue is not None:
            self._why.setdefault(key, set()).add(why)
            self._queue.add(key)

    async def _handle(self, key: Key) -> float | None:
        async with self._slots:
            why = self._why.pop(key, set())
            source = self._sources.get(key)
            if source is None:
                return None
            memory = self._maker.memories.get(key)
            only_secret = why == {"secret"} and memory is not None
            if only_secret and memory is not None and memory.version == self._latest.get(key):
                return self._left(key)  # our own write, seen on the watch
            try:
                wait = await self._maker.bring(key, source.raw, there=key in self._secrets, only_secret=only_secret)
            except ClusterError as error:
                log.warning(f"a {self._resource.kind} has to wait", about=f"{key[0]}/{key[1]}", problem=str(error))
                self._why.setdefault(key, set()).update(why or {"again"})
                return _AGAIN
            except Exception as error:  # noqa: BLE001  # a defect that one object shows must not keep the others shut
                about, fault = f"{key[0]}/{key[1]}", type(error).__name__  # not its words, which may hold a value
                log.warning(f"a {self._resource.kind} shows a defect of ours", about=about, fault=fault)
                return _DEFECT
            if wait is not None:
                self._due[key] = self._clock.monotonic() + wait
            elif not only_secret:
                self._due.pop(key, None)
            return self._left(key)

    def _left(self, key: Key) -> float | None:
        """Seconds until it is due."""
        due = self._due.get(key)
        return None if due is None else max(0.0, due - self._clock.monotonic())


def _decisive(raw: bytes) -> bytes:
    """A hash of what decides about the Secret: spec, annotations and identity; labels and status do not."""
    body = msgspec.json.decode(raw)
    metadata = body.get("metadata") or {}
    value = [body.get("spec"), metadata.get("annotations"), metadata.get("uid")]
    return hashlib.blake2b(canonical(value), digest_size=16).digest()
