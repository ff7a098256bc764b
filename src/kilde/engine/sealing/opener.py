"""Opener: one SealedSecret → its Secret, its status, its event. All of it or nothing; the last good Secret stays."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.basics.values import Object, canonical
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.difference import differences, writer_of
from kilde.core.plan.fight import FightBook
from kilde.core.plan.masking import redacted
from kilde.core.secrets import documents
from kilde.core.secrets.condition import status_after
from kilde.core.secrets.opening import Render, open_sealed
from kilde.core.secrets.taking_over import PARTS, held, same, wanted
from kilde.engine.sealing.events import Events
from kilde.engine.sealing.metrics import SealingMetrics
from kilde.engine.sealing.settings import SealingSettings
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

SECRETS = Resource("", "v1", "Secret", "secrets", True)
SEALED_SECRETS = Resource("bitnami.com", "v1alpha1", "SealedSecret", "sealedsecrets", True)
Key = tuple[str, str]  # namespace, name
Tell = Callable[
    [ObjectRef, list[str], list[str]], None
]  # for the ledger: a Secret put back, its fields, who had changed them

_IMMUTABLE = "field is immutable when `immutable` is set"
_RETRIES = Backoff(first=0.5)
_CONFLICTS = 5  # attempts to write a Secret that somebody else writes too


class NotOurs(InvalidInput):
    """A Secret of that name is there, and this SealedSecret may not touch it."""

    code = "secret-not-ours"


@dataclass(slots=True)
class Memory:
    """What is known of one SealedSecret between two looks; no plain value is in it."""

    version: str = ""  # resourceVersion of the Secret as we wrote or found it right
    print: bytes = b""  # keyed hash of what the Secret has to hold
    sealed_print: bytes = b""  # the same of what it was made from
    failed: str = ""
    failures: int = 0
    book: FightBook = field(default_factory=FightBook)


class Opener:
    """Opens SealedSecrets, one at a time for each; `keys` gives those to try, newest first."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        settings: SealingSettings,
        *,
        keys: Callable[[], Iterable[RSAPrivateKey]],
        render: Render,
        metrics: SealingMetrics,
        salt: bytes,
        tell: Tell,
    ) -> None:
        self._cluster, self._clock, self._settings = cluster, clock, settings
        self._keys, self._render, self._metrics, self._salt, self._tell = keys, render, metrics, salt, tell
        self._events = Events(cluster, clock, manager=settings.manager)
        self.memories: dict[Key, Memory] = {}
        self.restored = 0

    def forget(self, key: Key) -> None:
        """The SealedSecret is gone."""
        self.memories.pop(key, None)
        self._metrics.forget(*key)

    async def open(self, key: Key, raw: bytes, *, there: bool, only_secret: bool) -> float | None:
        """Brings a Secret in step with its SealedSecret; gives the seconds after which to try again (None: when something changes).

        `there`: a Secret of that name may exist; `only_secret`: nothing but the Secret has changed.
        """
        memory = self.memories.setdefault(key, Memory())
        try:
            sealed = documents.sealed_secret(msgspec.json.decode(raw), about=f"{key[0]}/{key[1]}")
        except InvalidInput as error:
            log.warning("a SealedSecret cannot be read", about=f"{key[0]}/{key[1]}", problem=error.what)
            return None
        live = await self._live(key) if there else None
        if only_secret and live is not None and memory.print and memory.print == self._print(held(live)):
            memory.version = live["metadata"]["resourceVersion"]
            return None
        if only_secret and live is not None and memory.version and (pause := self._pause(memory)) > 0:
            return pause
        self._metrics.requests.inc()
        return await self._opened(key, sealed, live, memory)

    async def _opened(self, key: Key, sealed: Object, live: Object | None, memory: Memory) -> float | None:
        problem, retry, changed = "", None, False
        try:
            old_form = self._settings.old_form
            made = await asyncio.to_thread(open_sealed, sealed, self._keys(), self._render, old_form=old_form)
        except InvalidInput as error:
            problem = error.what
            self._metrics.errors.labels(reason="unseal", namespace=key[0]).inc()
            await self._say(sealed, memory, "ErrUnsealFailed", f"Failed to unseal: {problem}")
        else:
            try:
                changed = await self._bring(key, sealed, made, live, memory)
            except NotOurs as error:
                problem = f"failed update: {error.what}"
                self._metrics.errors.labels(reason="unmanaged", namespace=key[0]).inc()
                await self._say(sealed, memory, "ErrUpdateFailed", error.what)
            except ClusterError as error:
                if _is_passing(error):
                    memory.failures += 1
                    log.warning("a Secret cannot be written yet", about=f"{key[0]}/{key[1]}", problem=error.reason)
                    return _RETRIES.delay(memory.failures)
                problem, retry = redacted(error.what, made), 300.0
                self._metrics.errors.labels(reason="update", namespace=key[0]).inc()
                await self._say(sealed, memory, "ErrUpdateFailed", _told(problem, key))
        memory.failures = 0
        said_before, memory.failed = memory.failed, problem
        wrote = await self._report(key, sealed, problem)
        if not problem and (wrote or changed or said_before):
            await self._events.say(sealed, "Unsealed", "SealedSecret unsealed successfully")
        return retry

    async def _say(self, sealed: Object, memory: Memory, reason: str, message: str) -> None:
        log.warning("a SealedSecret does not open", about=_name(sealed), reason=reason, problem=message)
        await self._events.say(sealed, reason, message, warning=True)

    async def _report(self, key: Key, sealed: Object, problem: str) -> bool:
        """Writes the status, if it says something new; whether it did."""
        self._metrics.condition(*key, synced=not problem)
        status = status_after(sealed, problem, now=self._clock.now())
        if status is None:
            return False
        try:
            await self._cluster.patch(
                SEALED_SECRETS, *key, {"status": status}, manager=self._settings.manager, subresource="status"
            )
        except ClusterError as error:
            if error.status != 404:  # it may be gone by now
                self._metrics.errors.labels(reason="status", namespace=key[0]).inc()
                log.warning("the status of a SealedSecret cannot be written", about=_name(sealed), problem=str(error))
            return False
        return True

    async def _bring(self, key: Key, sealed: Object, made: Object, live: Object | None, memory: Memory) -> bool:
        """Writes the Secret if it differs; whether it did. NotOurs, ClusterError."""
        sealed_print = self._print({"spec": sealed["spec"], "annotations": sealed["metadata"].get("annotations")})
        for attempt in range(_CONFLICTS):
            try:
                if live is None:
                    written = (await self._cluster.create(SECRETS, made, manager=self._settings.manager)).raw
                    self._remember(memory, msgspec.json.decode(written), sealed_print)
                    return True
                goal = wanted(live, made, sealed)
                if goal is None:
                    raise NotOurs(f'Resource "{key[1]}" already exists and is not managed by SealedSecret')
                if same(live, goal):
                    self._remember(memory, live, sealed_print)
                    return False
                was_right = memory.sealed_print == sealed_print and bool(memory.version)
                written = (await self._cluster.replace(SECRETS, goal, manager=self._settings.manager)).raw
                if was_right:
                    await self._put_back(sealed, live, goal, memory)
                self._remember(memory, msgspec.json.decode(written), sealed_print)
                return True
            except ClusterError as error:
                if error.status not in (404, 409) or attempt == _CONFLICTS - 1 or _is_gone(error):
                    raise
            live = await self._live(key)
        raise AssertionError("the last attempt returns or raises")

    async def _put_back(self, sealed: Object, live: Object, goal: Object, memory: Memory) -> None:
        """Somebody had changed the Secret: who, and which fields; never what they held."""
        paths = [part for part in PARTS for part in _changed(live, goal, part)]
        fields = [".".join(path) for path in paths]
        writers = [writer_of(live, path, but=self._settings.manager) for path in paths]
        names = list(dict.fromkeys(str(writer) for writer in writers if writer is not None))
        memory.book.healed(fields, now=self._clock.monotonic())
        self.restored += 1
        who = ", ".join(names) or "somebody"
        log.info("put a Secret back", about=_name(sealed), changed_by=who, fields=fields)
        ref = ObjectRef("", "Secret", live["metadata"]["namespace"], live["metadata"]["name"])
        self._tell(ref, fields, names)
        await self._events.say(live, "Restored", f"{', '.join(fields)} had been changed by {who}", warning=True)

    def _pause(self, memory: Memory) -> float:
        """Seconds that a Secret somebody fights over waits."""
        return memory.book.delay(list(memory.book.heals), now=self._clock.monotonic())

    async def _live(self, key: Key) -> Object | None:
        raw = await self._cluster.get(SECRETS, *key)
        return None if raw is None else {"apiVersion": "v1", "kind": "Secret", **msgspec.json.decode(raw, type=dict)}

    def _remember(self, memory: Memory, secret: Object, sealed_print: bytes) -> None:
        memory.version = str(secret["metadata"].get("resourceVersion"))
        memory.print = self._print(held(secret))
        memory.sealed_print = sealed_print

    def _print(self, value: Object) -> bytes:
        """A hash that tells nothing to who does not have this process's salt."""
        return hashlib.blake2b(canonical(value), key=self._salt, digest_size=16).digest()


def _changed(live: Object, goal: Object, part: tuple[str, ...]) -> list[tuple[str, ...]]:
    a, b = held(live), held(goal)
    for step in part:
        a, b = a[step], b[step]
    found = [tuple(str(step) for step in path) for path, _, _ in differences(a, b)]
    return list(dict.fromkeys((*part, *path[:1]) for path in found))


def _is_passing(error: ClusterError) -> bool:
    return error.status in (0, 409, 429) or error.status >= 500 or _is_gone(error)


def _is_gone(error: ClusterError) -> bool:
    """Whether the namespace is on its way out or not there yet: nothing to tell of a Secret in it."""
    return error.status == 404


def _told(problem: str, key: Key) -> str:
    if not problem.endswith(_IMMUTABLE):
        return problem
    return (
        f"Error updating {key[0]}/{key[1]}: the target Secret is immutable. Once a Secret is marked as immutable, it is not "
        "possible to revert this change nor to mutate the contents of the data field. You can only delete and recreate the Secret."
    )


def _name(sealed: Object) -> str:
    return f"{sealed['metadata'].get('namespace')}/{sealed['metadata'].get('name')}"
