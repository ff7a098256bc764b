"""The sealing controller: watches SealedSecrets, Secrets and keys, and brings each Secret in step with what is sealed."""

import asyncio
import hashlib
from dataclasses import dataclass

import msgspec
import structlog

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import canonical
from kilde.core.secrets.opening import Render
from kilde.core.secrets.taking_over import comes_back
from kilde.engine.queue import KeyedQueue
from kilde.engine.sealing.election import Election
from kilde.engine.sealing.keyring import Dice, Keyring, MakeKey
from kilde.engine.sealing.metrics import SealingMetrics
from kilde.engine.sealing.opener import SEALED_SECRETS, SECRETS, Key, Opener, Tell
from kilde.engine.sealing.rival import rival
from kilde.engine.sealing.settings import SealingSettings
from kilde.engine.tasks import TaskOwner
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, EventType, WatchEvent
from kilde.ports.keys import KeyStore

log = structlog.get_logger()

_WAIT_FOR_KIND = 5.0
_RIVAL_PAUSE = 30.0


@dataclass(slots=True)
class _Sealed:
    raw: bytes
    spec: bytes  # a hash of what decides: spec, annotations, uid


class SealingController:
    """Opens what its keys open. `run` lasts until it is cancelled; `ready` is set once every SealedSecret was listed."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        store: KeyStore,
        settings: SealingSettings,
        *,
        make_key: MakeKey,
        dice: Dice,
        render: Render,
        tell: Tell,
    ) -> None:
        self._cluster, self._clock, self.settings = cluster, clock, settings
        self.metrics = SealingMetrics()
        self.keyring = Keyring(store, clock, settings, make_key=make_key, dice=dice, on_change=self._keys_changed)
        self.render = render
        self.opener = Opener(
            cluster,
            clock,
            settings,
            keys=lambda: self.keyring.private,
            render=render,
            metrics=self.metrics,
            salt=dice(32),
            tell=tell,
        )
        self.election = Election(cluster, clock, settings.namespace, settings.identity, seconds=settings.lease)
        self.ready = asyncio.Event()
        self._sealed: dict[Key, _Sealed] = {}
        self._secrets: set[Key] = set()
        self._why: dict[Key, set[str]] = {}
        self._latest: dict[Key, str] = {}  # resourceVersion of a Secret as the watch saw it last
        self._queue: KeyedQueue[Key] | None = None
        self._slots = asyncio.Semaphore(settings.parallel)

    async def run(self) -> None:
        """Reads the keys, and opens while this controller leads."""
        async with TaskOwner() as tasks:
            tasks.start("sealing-keys", self.keyring.follow())
            tasks.start("sealing-election", self.election.run(self._lead))
            await tasks.failed.wait()
            assert tasks.fault is not None
            raise tasks.fault

    async def _lead(self) -> None:
        await self._alone()
        async with TaskOwner() as tasks:
            tasks.start("sealing-renewal", self.keyring.renew())
            await self.keyring.loaded.wait()
            await self._await_kind()
            self._queue = KeyedQueue(tasks, self._handle, name="open")
            self._sealed.clear()
            self._secrets.clear()
            self._why.clear()
            listed = asyncio.Event()
            try:
                for namespace in self.settings.namespaces or ("",):
                    tasks.start(f"sealing-secrets {namespace}", self._follow_secrets(namespace, listed))
                    await listed.wait()
                    listed.clear()
                for namespace in self.settings.namespaces or ("",):
                    tasks.start(f"sealing-sealed {namespace}", self._follow_sealed(namespace))
                await tasks.failed.wait()
                assert tasks.fault is not None
                raise tasks.fault
            finally:
                self._queue.close()
                self._queue = None

    async def _alone(self) -> None:
        """Waits while the real controller is there: two would undo each other's work."""
        told = ""
        while found := await rival(self._cluster, self.settings.namespace):
            if found != told:
                log.error(
                    "the Sealed Secrets controller runs in this namespace; ours does nothing beside it",
                    found=found,
                    hint="remove it (its keys are taken over), or run ours in another namespace",
                )
                told = found
            await self._clock.sleep(_RIVAL_PAUSE)

    async def _await_kind(self) -> None:
        told = False
        while True:
            try:
                if (await self._cluster.discovery(refresh=told)).resource("bitnami.com", "SealedSecret") is not None:
                    return
            except ClusterError as error:
                log.warning("waiting for the cluster", problem=str(error))
            if not told:
                log.info(
                    "the cluster does not serve SealedSecrets yet; waiting",
                    hint="kilde install --crds | kubectl apply -f -",
                )
            told = True
            await self._clock.sleep(_WAIT_FOR_KIND)

    async def _follow_sealed(self, namespace: str) -> None:
        listed: set[Key] = set()
        selector = self.settings.label_selector
        async for event in self._cluster.watch(SEALED_SECRETS, namespace, label_selector=selector):
            key = (event.namespace, event.name)
            match event.type:
                case EventType.BROKEN:
                    listed = set()
                    log.warning("the watch of SealedSecrets broke", problem=event.error)
                case EventType.SYNCED:
                    for gone in [each for each in self._sealed if each not in listed and namespace in ("", each[0])]:
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
        spec = _decisive(event.raw)
        before = self._sealed.get(key)
        self._sealed[key] = _Sealed(event.raw, spec)
        if before is None or before.spec != spec:
            self._ask(key, "sealed")

    def _forget(self, key: Key) -> None:
        if self._sealed.pop(key, None) is not None:
            self._why.pop(key, None)
            self.opener.forget(key)

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
        if key not in self._sealed:
            return
        self._latest[key] = version
        memory = self.opener.memories.get(key)
        if memory is None or memory.version != version:
            self._ask(key, "secret")

    def _secret_gone(self, key: Key, raw: bytes | None) -> None:
        self._secrets.discard(key)
        self._latest.pop(key, None)
        memory = self.opener.memories.get(key)
        if key not in self._sealed or memory is None:
            return
        if raw is None or memory.failed or comes_back(msgspec.json.decode(raw)):
            self._ask(key, "gone")

    def _keys_changed(self) -> None:
        """What did not open may open now."""
        for key, memory in self.opener.memories.items():
            if memory.failed:
                self._ask(key, "keys")

    def _ask(self, key: Key, why: str) -> None:
        if self._queue is not None:
            self._why.setdefault(key, set()).add(why)
            self._queue.add(key)

    async def _handle(self, key: Key) -> float | None:
        async with self._slots:
            why = self._why.pop(key, set())
            sealed = self._sealed.get(key)
            if sealed is None:
                return None
            memory = self.opener.memories.get(key)
            only_secret = why == {"secret"} and memory is not None
            if only_secret and memory is not None and memory.version == self._latest.get(key):
                return None  # our own write, seen on the watch
            try:
                return await self.opener.open(key, sealed.raw, there=key in self._secrets, only_secret=only_secret)
            except ClusterError as error:
                log.warning("a SealedSecret has to wait", about=f"{key[0]}/{key[1]}", problem=str(error))
                self._why.setdefault(key, set()).update(why or {"again"})
                return 2.0
            except Exception as error:  # noqa: BLE001  # a defect that one object shows must not keep the others shut
                about, fault = f"{key[0]}/{key[1]}", type(error).__name__  # not its words, which may hold a value
                log.warning("a SealedSecret shows a defect of ours", about=about, fault=fault)
                return 60.0


def _decisive(raw: bytes) -> bytes:
    """A hash of what decides about the Secret: spec, annotations and identity; labels and status do not."""
    body = msgspec.json.decode(raw)
    metadata = body.get("metadata") or {}
    value = [body.get("spec"), metadata.get("annotations"), metadata.get("uid")]
    return hashlib.blake2b(canonical(value), digest_size=16).digest()
