"""Keeps the note of a move in the cluster, and waits until Kilde writes no more; what moves from every controller have in common."""

from collections.abc import Callable

import msgspec

from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.migrate.note import NAME, Note, State
from kilde.engine.fleet.applications import CONFIG_MAPS
from kilde.engine.migration.alone import LEASE, LEASE_SECONDS, is_held, note_of
from kilde.engine.migration.handover import HandedOver
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster

MANAGER = "kilde-migrate"
LOOK = 0.5  # seconds
PATIENCE = 300.0  # for what is stopped to end
MOST = 5  # things that are named


class Notebook:
    """For moves of one system into one namespace."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str, system: str) -> None:
        self._cluster, self._clock, self._namespace, self._system = cluster, clock, namespace, system

    async def read(self) -> Note | None:
        """None where nothing was moved. KildeError where the note is another system's."""
        note = await note_of(self._cluster, self._namespace)
        if note is None or note.system == self._system:
            return note
        hint = f"hand that back first (kilde migrate {note.system} --hand-back), and delete the ConfigMap"
        raise KildeError(f"is the note of a move from {note.system}", about=f"ConfigMap {NAME}", hint=hint)

    async def write(self, note: Note) -> Note:
        """Writes it, if it is still the one that was read."""
        body = note.config_map(self._namespace)
        try:
            if note.version:
                raw = (await self._cluster.replace(CONFIG_MAPS, body, manager=MANAGER)).raw
            else:
                raw = (await self._cluster.create(CONFIG_MAPS, body, manager=MANAGER)).raw
        except ClusterError as error:
            if error.status != 409:
                raise
            hint = "is another kilde migrate running? Run this again when it has ended"
            raise KildeError("was changed by somebody else", about=f"ConfigMap {NAME}", hint=hint) from error
        version = str((msgspec.json.decode(raw).get("metadata") or {}).get("resourceVersion", ""))
        return msgspec.structs.replace(note, version=version)

    async def until_released(self, tell: Callable[[str], None]) -> None:
        """Until no Kilde writes: it lets go of its lease when it sees the note; one that was killed is waited for a while."""
        seen, since = "", self._clock.monotonic()
        while True:
            holder, version = await is_held(self._cluster, self._namespace)
            if not holder:
                return
            now = self._clock.monotonic()
            if version != seen:
                seen, since = version, now
            if now - since > 2 * LEASE_SECONDS:
                tell(f"{holder} has not been heard of for {2 * LEASE_SECONDS:.0f} s (Lease {LEASE}): going on")
                return
            await self._clock.sleep(LOOK)


def told_of(found: HandedOver, whose: str, becomes: str) -> str:
    """How many objects changed hands. KildeError where some could not."""
    if found.failed:
        raise KildeError(
            f"{len(found.failed)} objects could not be handed over: {'; '.join(found.failed[:MOST])}",
            hint="put that right and run this again",
        )
    return f"{found.changed} objects were {whose} and are {becomes} now, {found.same} were before"


def replace_state(note: Note, state: State) -> Note:
    """The same note, one step further."""
    return msgspec.structs.replace(note, state=state)
