"""Restarts: workloads that ask for it begin a new rollout when a Secret that they use holds something else.

The digest is written by a field manager of its own, so that an apply of the application neither removes it nor sees it as drift.
Two controllers that do this write the same: the key of the digest lies in the cluster.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.core.secrets.restarting import RESTART, Workload, digest, print_of, stamped, workload
from kilde.engine.queue import KeyedQueue
from kilde.engine.tasks import TaskOwner
from kilde.ports.cluster import Cluster, EventType, Resource, WatchEvent

log = structlog.get_logger()

SECRETS = Resource("", "v1", "Secret", "secrets", True)
WORKLOADS = tuple(
    Resource("apps", "v1", kind, f"{kind.lower()}s", True) for kind in ("Deployment", "StatefulSet", "DaemonSet")
)
MANAGER = "kilde-restarts"
KEY_NAME = "kilde-restart-key"
_KEY_SIZE = 32  # bytes
_SETTLE = 1.0  # seconds: an edit that is put back at once restarts nothing
_AGAIN = 5.0
_MARK = RESTART.encode()

Tell = Callable[[ObjectRef, list[str]], None]  # for the ledger: a workload restarted, and the Secrets that changed


@dataclass(slots=True)
class _Space:
    """A namespace with workloads that want restarts: keyed hashes of its Secrets, no value."""

    task: asyncio.Task[None]
    listed: asyncio.Event = field(default_factory=asyncio.Event)
    prints: dict[str, bytes] = field(default_factory=dict)


class Restarts:
    """`run` never ends by itself. Nothing is written and no Secret is read before a workload asks."""

    def __init__(
        self, cluster: Cluster, namespace: str, *, dice: Callable[[int], bytes], tell: Tell, settle: float = _SETTLE
    ) -> None:
        self._cluster, self._namespace, self._settle = cluster, namespace, settle
        self._dice, self._tell = dice, tell
        self._workloads: dict[ObjectRef, Workload] = {}
        self._ran: dict[ObjectRef, dict[str, bytes]] = {}  # what its Secrets held when it was looked at last
        self._spaces: dict[str, _Space] = {}
        self._key = b""
        self._queue: KeyedQueue[ObjectRef] | None = None
        self._tasks: TaskOwner | None = None

    async def run(self) -> None:
        """Watches workloads of all namespaces, and the Secrets of those that have one that asks."""
        async with TaskOwner() as tasks:
            self._tasks, self._queue = tasks, KeyedQueue(tasks, self._handle, name="restart")
            for resource in WORKLOADS:
                tasks.start(f"restarts {resource.plural}", self._follow(resource))
            try:
                await tasks.failed.wait()
                assert tasks.fault is not None
                raise tasks.fault
            finally:
                self._queue.close()

    async def _follow(self, resource: Resource) -> None:
        listed: set[ObjectRef] = set()
        told = False
        async for event in self._cluster.watch(resource):
            ref = ObjectRef(resource.group, resource.kind, event.namespace, event.name)
            match event.type:
                case EventType.BROKEN:
                    listed = set()
                    if not told:
                        log.warning(
                            "workloads are not watched for restarts now", kind=resource.kind, problem=event.error
                        )
                    told = True
                case EventType.SYNCED:
                    told = False
                    for gone in [one for one in self._workloads if one.kind == resource.kind and one not in listed]:
                        self._forget(gone)
                    listed = set()
                case EventType.DELETED:
                    self._forget(ref)
                case _:
                    if event.type is EventType.LISTED:
                        listed.add(ref)
                    self._observe(ref, event)

    def _observe(self, ref: ObjectRef, event: WatchEvent) -> None:
        found = workload(msgspec.json.decode(event.raw)) if _MARK in event.raw else None
        if found is None:
            self._forget(ref)
            return
        if self._workloads.get(ref) == found:
            return
        self._workloads[ref] = found
        if ref.namespace not in self._spaces:
            assert self._tasks is not None
            task = self._tasks.start(f"restarts secrets {ref.namespace}", self._follow_secrets(ref.namespace))
            self._spaces[ref.namespace] = _Space(task)
        self._ask(ref)

    def _forget(self, ref: ObjectRef) -> None:
        self._ran.pop(ref, None)
        if self._workloads.pop(ref, None) is None:
            return
        if all(other.namespace != ref.namespace for other in self._workloads):
            self._spaces.pop(ref.namespace).task.cancel()

    async def _follow_secrets(self, namespace: str) -> None:
        key = await self._the_key()
        listed: set[str] = set()
        async for event in self._cluster.watch(SECRETS, namespace):
            space = self._spaces.get(namespace)
            if space is None:
                return
            match event.type:
                case EventType.BROKEN:
                    listed = set()
                case EventType.SYNCED:
                    for gone in [name for name in space.prints if name not in listed]:
                        self._note(space, namespace, gone, b"")
                    listed = set()
                    space.listed.set()
                case EventType.DELETED:
                    self._note(space, namespace, event.name, b"")
                case _:
                    if event.type is EventType.LISTED:
                        listed.add(event.name)
                    self._note(space, namespace, event.name, print_of(key, msgspec.json.decode(event.raw)))

    def _note(self, space: _Space, namespace: str, name: str, found: bytes) -> None:
        if space.prints.get(name, b"") == found:
            return
        if found:
            space.prints[name] = found
        else:
            del space.prints[name]
        for ref, each in self._workloads.items():
            if ref.namespace == namespace and any(use.name == name for use in each.uses):
                self._ask(ref)

    def _ask(self, ref: ObjectRef) -> None:
        if self._queue is not None:
            self._queue.add(ref, delay=self._settle)

    async def _handle(self, ref: ObjectRef) -> float | None:
        found, space = self._workloads.get(ref), self._spaces.get(ref.namespace)
        if found is None or space is None:
            return None
        if not space.listed.is_set():
            return self._settle
        metadata = {"name": ref.name, "namespace": ref.namespace}
        identity = {"apiVersion": f"{ref.group}/v1", "kind": ref.kind, "metadata": metadata}
        now = digest(self._key, found.uses, space.prints)
        held = {use.name: space.prints.get(use.name, b"") for use in found.uses}
        body = stamped(identity, found, now)
        if body is None:
            self._ran |= {ref: held} if now else {}
            return None
        resource = next(each for each in WORKLOADS if each.kind == ref.kind)
        try:
            await self._cluster.apply(resource, body, manager=MANAGER)
        except ClusterError as error:
            if error.status == 404 or self._workloads.get(ref) != found:
                return None
            log.warning("a workload cannot be told of its Secrets yet", about=str(ref), problem=str(error))
            return _AGAIN
        before, self._ran[ref] = self._ran.get(ref), held
        if found.seen:
            changed = [name for name in held if before is not None and before.get(name) != held[name]]
            log.info("restarted a workload: a Secret that it uses changed", about=str(ref), secrets=changed)
            self._tell(ref, changed)
        return None

    async def _the_key(self) -> bytes:
        """The key of the digests, made when it is needed first; tries until it has one."""
        while not self._key:
            try:
                raw = await self._cluster.get(SECRETS, self._namespace, KEY_NAME)
                if raw is None:
                    raw = (await self._cluster.create(SECRETS, self._new_key(), manager=MANAGER)).raw
                self._key = _key_in(raw)
            except ClusterError as error:
                if error.status == 409:
                    continue
                log.warning("the key for restarts is not to be had", problem=str(error))
            if not self._key:
                await asyncio.sleep(_AGAIN)
        return self._key

    def _new_key(self) -> dict[str, object]:
        data = {"key": base64.b64encode(self._dice(_KEY_SIZE)).decode()}
        metadata = {"name": KEY_NAME, "namespace": self._namespace}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


def _key_in(raw: bytes) -> bytes:
    """The key of its Secret; b"" and a word in the log where it holds none."""
    try:
        key = base64.b64decode((msgspec.json.decode(raw).get("data") or {}).get("key") or "", validate=True)
    except (binascii.Error, TypeError):
        key = b""
    if len(key) < _KEY_SIZE:
        log.warning("the key for restarts is none", about=KEY_NAME, hint="delete the Secret: another is made")
        return b""
    return key
