"""Opener: one SealedSecret → its Secret, its status, its event. All of it or nothing; the last good Secret stays."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.basics.values import Object
from kilde.core.plan.masking import redacted
from kilde.core.secrets import documents
from kilde.core.secrets.condition import status_after
from kilde.core.secrets.opening import Render, open_sealed
from kilde.engine.derived.events import Events
from kilde.engine.derived.secret_writer import Key, Memory, NotOurs, SecretWriter, Tell, is_passing, name_of, told
from kilde.engine.sealing.metrics import SealingMetrics
from kilde.engine.sealing.settings import SealingSettings
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

SEALED_SECRETS = Resource("bitnami.com", "v1alpha1", "SealedSecret", "sealedsecrets", True)
_RETRIES = Backoff(first=0.5)


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
        self._keys, self._render, self._metrics = keys, render, metrics
        self._events = Events(cluster, clock, manager=settings.manager, component="sealed-secrets")
        self._writer = SecretWriter(cluster, clock, self._events, manager=settings.manager, salt=salt, tell=tell)
        self.memories: dict[Key, Memory] = {}

    def forget(self, key: Key) -> None:
        """The SealedSecret is gone."""
        self.memories.pop(key, None)
        self._metrics.forget(*key)

    async def bring(self, key: Key, raw: bytes, *, there: bool, only_secret: bool) -> float | None:
        """Brings a Secret in step with its SealedSecret; gives the seconds after which to try again (None: when something changes).

        `there`: a Secret of that name may exist; `only_secret`: nothing but the Secret has changed.
        """
        memory = self.memories.setdefault(key, Memory())
        try:
            sealed = documents.sealed_secret(msgspec.json.decode(raw), about=f"{key[0]}/{key[1]}")
        except InvalidInput as error:
            log.warning("a SealedSecret cannot be read", about=f"{key[0]}/{key[1]}", problem=error.what)
            return None
        live = await self._writer.live(key) if there else None
        if only_secret and live is not None and self._writer.is_right(memory, live):
            return None
        if only_secret and live is not None and memory.version and (pause := self._writer.pause(memory)) > 0:
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
            await self._say(sealed, "ErrUnsealFailed", f"Failed to unseal: {problem}")
        else:
            basis = self._writer.print_of(
                {"spec": sealed["spec"], "annotations": sealed["metadata"].get("annotations")}
            )
            try:
                changed = await self._writer.bring(sealed, made, live, memory, basis=basis)
            except NotOurs as error:
                problem = f"failed update: {error.what}"
                self._metrics.errors.labels(reason="unmanaged", namespace=key[0]).inc()
                await self._say(sealed, "ErrUpdateFailed", error.what)
            except ClusterError as error:
                if is_passing(error):
                    memory.failures += 1
                    log.warning("a Secret cannot be written yet", about=f"{key[0]}/{key[1]}", problem=error.reason)
                    return _RETRIES.delay(memory.failures)
                problem, retry = redacted(error.what, made), 300.0
                self._metrics.errors.labels(reason="update", namespace=key[0]).inc()
                await self._say(sealed, "ErrUpdateFailed", told(problem, key))
        memory.failures = 0
        said_before, memory.failed = memory.failed, problem
        wrote = await self._report(key, sealed, problem)
        if not problem and (wrote or changed or said_before):
            await self._events.say(sealed, "Unsealed", "SealedSecret unsealed successfully")
        return retry

    async def _say(self, sealed: Object, reason: str, message: str) -> None:
        log.warning("a SealedSecret does not open", about=name_of(sealed), reason=reason, problem=message)
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
                log.warning("the status of a SealedSecret cannot be written", about=name_of(sealed), problem=str(error))
            return False
        return True
