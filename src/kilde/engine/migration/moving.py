"""Takes over from a running Argo CD, and hands back: one step after the other, each noted in the cluster before it begins.

Either may be killed anywhere and run again: every step looks at what is, and does what is left. Nothing is deleted, no spec is written
but the replicas of the other's controllers.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from kilde.core.apps.application import Application, read_application
from kilde.core.apps.clusters import Clusters
from kilde.core.basics.errors import KildeError
from kilde.core.migrate.argocd import busy, move_argocd
from kilde.core.migrate.model import Workload
from kilde.core.migrate.note import Note, State, Stopped
from kilde.core.plan.tracking import read_tracking
from kilde.engine.fleet.applications import APPLICATIONS, CONFIG_MAPS
from kilde.engine.migration.handover import Handover
from kilde.engine.migration.noting import LOOK, MANAGER, MOST, PATIENCE, Notebook, replace_state, told_of
from kilde.engine.migration.reading import DEPLOYMENTS, STATEFUL_SETS, Reader, controllers, read_argocd
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster

_SYSTEM = "argocd"
_KINDS = {"StatefulSet": STATEFUL_SETS, "Deployment": DEPLOYMENTS}
Tell = Callable[[str], None]


class Destinations(Protocol):
    """The clusters that Applications deploy to."""

    clusters: Clusters

    def of(self, app: Application) -> Cluster:
        """Raises InvalidInput where there is none."""
        ...


class Mover:
    """For one installation, whose Applications deploy to `destinations`. `tell` is given a sentence for each thing done."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str, tell: Tell, destinations: Destinations) -> None:
        self._cluster, self._clock, self._namespace, self._tell = cluster, clock, namespace, tell
        self._destinations = destinations
        self._notebook = Notebook(cluster, clock, namespace, _SYSTEM)

    async def take_over(self, *, accept: bool) -> None:
        """Stops Argo CD's controllers, and makes its objects Kilde's. `accept`: although a person is needed. KildeError."""
        note = await self._notebook.read()
        if note is None or note.state is State.RETURNED:
            await self._check(accept=accept)
        note = await self._stopping(note)
        if note.state is not State.TAKEN:
            await self._stop(note)
            await self._still_idle(note)
            note = await self._notebook.write(replace_state(note, State.OWNING))
        found = await (await self._handover()).take(await self._apps())
        self._tell(told_of(found, "Argo CD's", "Kilde's"))
        if note.state is not State.TAKEN:
            await self._notebook.write(replace_state(note, State.TAKEN))
        self._tell("taken over: kilde up writes from now on; the way back is kilde migrate argocd --hand-back")

    async def hand_back(self) -> None:
        """Waits until Kilde writes no more, makes its objects Argo CD's, and starts Argo CD's controllers. KildeError."""
        note = await self._notebook.read()
        if note is None:
            hint = "kilde migrate argocd --take-over comes first"
            raise KildeError("nothing was taken over", about=f"namespace {self._namespace}", hint=hint)
        if note.state in (State.STOPPING, State.OWNING, State.TAKEN):
            self._require_idle(await self._apps())
            note = await self._notebook.write(replace_state(note, State.RETURNING))
        if note.state is State.RETURNING:
            await self._notebook.until_released(self._tell)
            found = await (await self._handover()).give_back(await self._apps())
            self._tell(told_of(found, "Kilde's", "Argo CD's"))
        await self._start(note)
        if note.state is not State.RETURNED:
            await self._notebook.write(replace_state(note, State.RETURNED))
        self._tell("handed back: Argo CD writes from now on; kilde up holds until it is taken over again")

    async def _check(self, *, accept: bool) -> None:
        found = await read_argocd(self._cluster, self._namespace, "")
        move = move_argocd(found).move
        people = move.of("person")
        if people and not accept:
            hint = "see kilde migrate argocd; --accept goes on all the same"
            raise KildeError(
                f"{len(people)} things need a person before the move, the first: {people[0].text}",
                about=people[0].about,
                hint=hint,
            )
        self._require_idle([read_application(body) for body in found.applications])

    def _require_idle(self, apps: Sequence[Application]) -> None:
        at_work = [str(app) for app in apps if busy(app)]
        if at_work:
            raise KildeError(
                "is in the middle of an operation; nothing was stopped",
                about=", ".join(at_work[:MOST]),
                hint="wait for its end, or end it: argocd app terminate-op",
            )

    async def _stopping(self, note: Note | None) -> Note:
        """The note with all that runs now and is to be stopped; what was noted before it was stopped stays."""
        if note is not None and note.state is State.TAKEN:
            running = [workload for workload in await self._workloads() if workload.runs]
            if not running:
                return note
        known = {str(one): one for one in note.stopped} if note is not None else {}
        for workload in await self._workloads():
            if workload.replicas > 0 or str(workload) not in known:
                known[str(workload)] = Stopped(
                    kind=workload.kind,
                    namespace=workload.namespace,
                    name=workload.name,
                    replicas=workload.replicas,
                )
        version = note.version if note is not None else ""
        stopped = tuple(known.values())
        return await self._notebook.write(Note(system=_SYSTEM, state=State.STOPPING, stopped=stopped, version=version))

    async def _stop(self, note: Note) -> None:
        for workload in await self._workloads():
            if workload.replicas > 0:
                await self._scale(workload.kind, workload.name, 0)
                self._tell(
                    f"{workload}: stopped, it had {workload.replicas} replica{'s' if workload.replicas > 1 else ''}"
                )
        end = self._clock.monotonic() + PATIENCE
        while running := [str(workload) for workload in await self._workloads() if workload.runs]:
            if self._clock.monotonic() > end:
                hint = "look at its pods; run this again when they are gone, or --hand-back"
                raise KildeError("still has pods; nothing was taken over", about=", ".join(running), hint=hint)
            await self._clock.sleep(LOOK)

    async def _still_idle(self, note: Note) -> None:
        """An operation that began while Argo CD was being stopped is Argo CD's to end: then it is started again."""
        try:
            self._require_idle(await self._apps())
        except KildeError:
            await self._start(note)
            await self._notebook.write(replace_state(note, State.RETURNED))
            self._tell("an operation began meanwhile: Argo CD is started again, nothing was taken over")
            raise

    async def _start(self, note: Note) -> None:
        there = {str(workload): workload for workload in await self._workloads()}
        for one in note.stopped:
            workload = there.get(str(one))
            if workload is None:
                self._tell(f"{one}: is no longer there, and not started")
            elif workload.replicas != one.replicas:
                await self._scale(one.kind, one.name, one.replicas)
                self._tell(f"{one}: started with {one.replicas} replica{'s' if one.replicas > 1 else ''}")

    async def _handover(self) -> Handover:
        raw = await self._cluster.get(CONFIG_MAPS, self._namespace, "argocd-cm")
        return Handover(
            self._destinations.of, read_tracking((msgspec.json.decode(raw).get("data") or {}) if raw else {})
        )

    async def _apps(self) -> list[Application]:
        raws = await self._cluster.list(APPLICATIONS, self._namespace)
        return [read_application(msgspec.json.decode(raw), self._destinations.clusters) for raw in raws]

    async def _workloads(self) -> tuple[Workload, ...]:
        reader = Reader(self._cluster)
        found = await controllers(reader, self._namespace)
        if reader.unread:
            raise KildeError("may not be read: it cannot be told whether Argo CD runs", about=", ".join(reader.unread))
        return found

    async def _scale(self, kind: str, name: str, replicas: int) -> None:
        patch = {"spec": {"replicas": replicas}}
        await self._cluster.patch(_KINDS[kind], self._namespace, name, patch, manager=MANAGER)
