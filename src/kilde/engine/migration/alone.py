"""Alone: two controllers never write the same Applications at once. Who may write is read from the cluster, not agreed between processes.

Kilde holds while Argo CD's controllers run, while Flux's run over the objects of its Applications, and while a move is under way. Where
one of them has left a trace (workloads, objects of Flux, or the note of a move) it keeps a Lease while it writes, so that whoever hands
back can see that it has ended.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.migrate.model import Workload
from kilde.core.migrate.note import NAME, Note, State, read_note
from kilde.engine.derived.election import LEASES, Election
from kilde.engine.fleet.applications import CONFIG_MAPS
from kilde.engine.migration.flux.rivals import flux_beside, kinds_of
from kilde.engine.migration.reading import DEPLOYMENTS, STATEFUL_SETS, Reader, controllers
from kilde.engine.tasks import TaskOwner
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, EventType, Resource

log = structlog.get_logger()

LEASE = "kilde-applications"
LEASE_SECONDS = 15.0
_LOOK = 2.0  # seconds between two looks while it holds
_LOOK_ANYWAY = 60.0  # and while it works, whatever the watches say
_PART_OF = "app.kubernetes.io/part-of=argocd"
_HINT = "kilde migrate argocd --take-over stops it and moves what it owns"
_SYSTEMS = {"argocd": "Argo CD", "flux": "Flux"}


def _under_way(note: Note) -> str:
    """Why nobody of us writes because of a move; "" where it lets us write."""
    name, take = _SYSTEMS.get(note.system, note.system), f"kilde migrate {note.system} --take-over"
    reasons = {
        State.STOPPING: f"{name} is being stopped by {take}",
        State.OWNING: f"objects are being taken over by {take}",
        State.RETURNING: f"what Kilde had is being handed back to {name}",
        State.RETURNED: f"it was handed back to {name}; take it over again: {take}",
    }
    return reasons.get(note.state, "")


async def note_of(cluster: Cluster, namespace: str) -> Note | None:
    """The note of a move; None where there is none. Raises KildeError."""
    raw = await cluster.get(CONFIG_MAPS, namespace, NAME)
    return read_note(msgspec.json.decode(raw)) if raw else None


class Alone:
    """For one controller of one namespace."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str, identity: str) -> None:
        self._cluster, self._clock, self._namespace = cluster, clock, namespace
        self._identity = identity
        self._blind = False
        self._traces = False

    async def work(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Waits until nobody else writes, then runs `lead`. KildeError when somebody else begins: then it has been ended before."""
        await self._wait()

        async def watched() -> None:
            async with TaskOwner() as tasks:
                work = tasks.start("alone: work", _awaited(lead))
                watch = tasks.start("alone: watch", self._until_rival())
                done, _ = await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()

        if not self._traces:
            await watched()
            return
        ran = False

        async def once() -> None:
            nonlocal ran
            if ran:
                raise KildeError("lost its lease and has it again", about=LEASE, hint="start it anew")
            ran = True
            await watched()

        seconds = LEASE_SECONDS
        await Election(self._cluster, self._clock, self._namespace, self._identity, seconds=seconds, name=LEASE).run(
            once
        )

    async def _wait(self) -> None:
        told = ""
        while True:
            try:
                reason = await self._reason()
            except ClusterError as error:
                reason = f"it cannot be told whether another controller runs: {error}"
            if not reason:
                if told:
                    log.warning("nobody else writes now; going on")
                return
            if reason != told:
                log.warning("holding: nothing is written", reason=reason)
                told = reason
            await self._clock.sleep(_LOOK)

    async def _reason(self) -> str:
        """Why nothing may be written; "" where it may."""
        reader = Reader(self._cluster)
        found = await controllers(reader, self._namespace)
        note = await self._note(reader)
        if reader.unread and not self._blind:
            self._blind = True
            log.warning("not allowed to see whether Argo CD runs beside", unread=reader.unread)
        flux, flux_writes = await flux_beside(self._cluster, self._namespace)
        self._traces = bool(found) or note is not None or flux
        return (_under_way(note) if note is not None else "") or told_of(found) or flux_writes

    async def _note(self, reader: Reader) -> Note | None:
        try:
            return await note_of(self._cluster, self._namespace)
        except ClusterError as error:
            if error.status != 403:
                raise
            reader.unread.append(f"ConfigMap {NAME}")
            return None

    async def _until_rival(self) -> None:
        """Raises KildeError once another controller is to write."""
        looks = asyncio.Event()
        async with TaskOwner() as tasks:
            tasks.start("alone: note", self._stir(CONFIG_MAPS, "", looks))
            for resource in (STATEFUL_SETS, DEPLOYMENTS):
                tasks.start(f"alone: {resource.plural}", self._stir(resource, _PART_OF, looks))
            for resource in await kinds_of(self._cluster):
                tasks.start(f"alone: {resource.plural}", self._stir(resource, "", looks, everywhere=True))
            while True:
                try:
                    reason = await self._reason()
                except ClusterError:
                    reason = ""  # the server is away: then nobody writes
                if reason:
                    raise KildeError(f"stopped writing: {reason}", hint="started again, it waits until it may")
                try:
                    async with asyncio.timeout(_LOOK_ANYWAY):
                        await looks.wait()
                except TimeoutError:
                    pass
                looks.clear()

    async def _stir(self, resource: Resource, selector: str, looks: asyncio.Event, *, everywhere: bool = False) -> None:
        where = "" if everywhere else self._namespace
        async for event in self._cluster.watch(resource, where, label_selector=selector):
            if event.type is EventType.BROKEN or (resource is CONFIG_MAPS and event.name not in (NAME, "")):
                continue
            if event.type is not EventType.LISTED:
                looks.set()


def told_of(found: tuple[Workload, ...]) -> str:
    """Which of the other's controllers run; "" where none does."""
    runs = [str(workload) for workload in found if workload.runs]
    return f"Argo CD runs ({', '.join(runs)}); {_HINT}" if runs else ""


async def is_held(cluster: Cluster, namespace: str) -> tuple[str, str]:
    """Who holds the lease of those who write, and the version of the lease; ("", …) where nobody does."""
    raw = await cluster.get(LEASES, namespace, LEASE)
    lease = msgspec.json.decode(raw) if raw else {}
    holder = str((lease.get("spec") or {}).get("holderIdentity") or "")
    return holder, str((lease.get("metadata") or {}).get("resourceVersion", ""))


async def _awaited(lead: Callable[[], Awaitable[None]]) -> None:
    await lead()
