"""Resolver: one VaultSecret → its values from Vault → its Secret, status, event. All of it or nothing; the last good Secret stays."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog

from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.masking import redacted
from kilde.core.secrets.opening import DoesNotOpen, Render
from kilde.core.secrets.vault.place import Place
from kilde.core.secrets.vault.rules import permits
from kilde.core.secrets.vault.vault_secret import (
    API_VERSION,
    GROUP,
    KIND,
    RESOLVED,
    VERSION,
    VaultSecret,
    read_vault_secret,
    secret_of,
    status_after,
    value_of,
    versions_of,
)
from kilde.engine.derived.events import Events
from kilde.engine.derived.secret_writer import Key, Memory, NotOurs, SecretWriter, Tell, is_passing, name_of, told
from kilde.engine.vault.settings import VaultSecretSettings
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource
from kilde.ports.vault import Entry, Vault, VaultError

log = structlog.get_logger()

VAULT_SECRETS = Resource(GROUP, VERSION, KIND, "vaultsecrets", True)
TellVersions = Callable[
    [ObjectRef, list[str], list[str]], None
]  # for the ledger: a Secret, what it is made from now, and was before
_WAIT_WRITE = Backoff(first=0.5)


class NotAllowed(InvalidInput):
    """A namespace asks for what is not its own."""

    code = "vault-path-not-allowed"


class Resolver:
    """Resolves VaultSecrets, one at a time for each. No value is kept between two looks."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        vault: Vault,
        settings: VaultSecretSettings,
        *,
        render: Render,
        salt: bytes,
        tell: Tell,
        tell_versions: TellVersions,
    ) -> None:
        self._cluster, self._clock, self._vault, self._settings = cluster, clock, vault, settings
        self._render, self._tell_versions = render, tell_versions
        self._events = Events(cluster, clock, manager=settings.manager, component="kilde-vault")
        self._writer = SecretWriter(cluster, clock, self._events, manager=settings.manager, salt=salt, tell=tell)
        self.memories: dict[Key, Memory] = {}
        self._ran: dict[Key, dict[str, int]] = {}  # versions, by entry, that were told of last

    def forget(self, key: Key) -> None:
        """The VaultSecret is gone."""
        self.memories.pop(key, None)
        self._ran.pop(key, None)

    async def bring(self, key: Key, raw: bytes, *, there: bool, only_secret: bool) -> float | None:
        """Brings a Secret in step with Vault; gives the seconds after which to look again (None: as was said before)."""
        memory = self.memories.setdefault(key, Memory())
        live = await self._writer.live(key) if there else None
        if only_secret and live is not None:
            if self._writer.is_right(memory, live):
                return None
            if memory.version and (pause := self._writer.pause(memory)) > 0:
                return pause
        obj: Object = {"apiVersion": API_VERSION, "kind": KIND, **msgspec.json.decode(raw, type=dict)}
        found: VaultSecret | None = None
        try:
            found = read_vault_secret(obj, self._settings.mounts, least=self._settings.least)
            self._check(found, key[0])
            entries = await self._read(found)
            values = {
                item: value_of(entries[ref.place, ref.version].data, ref) for item, ref in found.references.items()
            }
            made = await asyncio.to_thread(secret_of, found, values, self._render)
            versions = {_named(place, version): entry.version for (place, version), entry in entries.items()}
            changed = await self._write(found, made, live, memory, versions)
        except ClusterError as error:
            if is_passing(error):
                memory.failures += 1
                log.warning("a Secret cannot be written yet", about=f"{key[0]}/{key[1]}", problem=error.reason)
                return _WAIT_WRITE.delay(memory.failures)
            return await self._failed(
                key, obj, memory, "SecretNotWritten", told(redacted(error.what, made), key), 300.0
            )
        except (VaultError, InvalidInput) as error:
            return await self._failed(key, obj, memory, *_told(error), self._again(error, memory, found))
        said_before, memory.failed, memory.failures = memory.failed, "", 0
        before, self._ran[key] = self._ran.get(key) or versions_of(obj), versions
        wrote = await self._report(key, obj, reason=RESOLVED, problem="", versions=versions)
        if before != versions and (changed or before):
            self._tell_versions(ObjectRef("", "Secret", *key), _listed(versions), _listed(before))
        if wrote or changed or said_before:
            await self._events.say(obj, RESOLVED, f"has {', '.join(_listed(versions))}")
        return self._next(found)

    def _check(self, found: VaultSecret, namespace: str) -> None:
        """NotAllowed unless the rules let the namespace have all of it; Vault is not asked before."""
        for place, _ in found.entries:
            reserved = any(
                str(place) == str(each) or str(place).startswith(f"{each}/") for each in self._settings.reserved
            )
            if reserved or not permits(self._settings.reads, place, word="namespace", name=namespace):
                hint = "the rules in the controller's file for Vault (reads) say what a namespace may read"
                raise NotAllowed(f"is not for namespace {namespace}", about=str(place), hint=hint)

    async def _read(self, found: VaultSecret) -> dict[tuple[Place, int], Entry]:
        """Each entry once, so that items of one entry are of one version. VaultError."""
        return {(place, version): await self._vault.read(place, version) for place, version in found.entries}

    async def _write(
        self, found: VaultSecret, made: Object, live: Object | None, memory: Memory, versions: Mapping[str, int]
    ) -> bool:
        source = found.source
        parts: Object = {
            "spec": source["spec"],
            "annotations": source["metadata"].get("annotations"),
            "versions": dict(versions),
        }
        parts["items"] = {item: str(reference) for item, reference in found.references.items()}
        return await self._writer.bring(source, made, live, memory, basis=self._writer.print_of(parts))

    def _again(self, error: Exception, memory: Memory, found: VaultSecret | None) -> float | None:
        """Seconds after which a failure is tried again; an object that is wrong waits for its change."""
        if isinstance(error, VaultError):
            memory.failures += 1
            return self._settings.retries.delay(memory.failures, dice=self._clock.dice())
        return None if isinstance(error, (NotAllowed, NotOurs)) else self._next(found)

    def _next(self, found: VaultSecret | None) -> float | None:
        """Until the next look; spread, so that objects made together are not always asked for together."""
        if found is None or not found.every:
            return None
        return found.every * (1 - self._clock.dice() / 10)

    async def _failed(
        self, key: Key, obj: Object, memory: Memory, reason: str, problem: str, again: float | None
    ) -> float | None:
        kept = _listed(versions_of(obj))
        message = f"{problem}; the Secret keeps {', '.join(kept)}" if kept else problem
        if memory.failed != message:
            log.warning("a VaultSecret cannot be resolved", about=f"{key[0]}/{key[1]}", reason=reason, problem=problem)
            await self._events.say(obj, reason, message, warning=True)
        memory.failed = message
        await self._report(key, obj, reason=reason, problem=message, versions=None)
        return again

    async def _report(
        self, key: Key, obj: Object, *, reason: str, problem: str, versions: Mapping[str, int] | None
    ) -> bool:
        """Writes the status, if it says something new; whether it did."""
        status = status_after(obj, reason=reason, problem=problem, versions=versions, now=self._clock.now())
        if status is None:
            return False
        manager = self._settings.manager
        try:
            await self._cluster.patch(VAULT_SECRETS, *key, {"status": status}, manager=manager, subresource="status")
        except ClusterError as error:
            if error.status != 404:  # it may be gone by now
                log.warning("the status of a VaultSecret cannot be written", about=name_of(obj), problem=str(error))
            return False
        return True


def _named(place: Place, version: int) -> str:
    """An entry as the status names it; a pinned version is part of the name, as one object may have several."""
    return f"{place}@{version}" if version else str(place)


def _listed(versions: Mapping[str, int]) -> list[str]:
    return [path if "@" in path else f"{path}@{version}" for path, version in sorted(versions.items())]


def _told(error: Any) -> tuple[str, str]:
    """The reason in a word, and the sentence."""
    if isinstance(error, VaultError):
        return str(error.reason), f"{error.about}: {error.what}"
    words = {NotAllowed: "NotAllowed", NotOurs: "SecretNotOurs", DoesNotOpen: "TemplateFailed"}
    about = f"{error.about}: " if error.about and not isinstance(error, (NotOurs, DoesNotOpen)) else ""
    return words.get(type(error), "InvalidReference"), f"{about}{error.what}"
