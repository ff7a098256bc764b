"""Takes over from a running Flux, and hands back: each object of Flux that moves is suspended, and its objects change hands.

Either may be killed anywhere and run again: every step looks at what is, and does what is left. Nothing is deleted, and no spec is
written but `suspend` of Flux's own objects.
"""

from collections.abc import Iterable, Sequence

import msgspec

from kilde.core.apps.application import Application, read_application
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.values import Object
from kilde.core.migrate.argocd import busy
from kilde.core.migrate.argocd import inventory as listed_by
from kilde.core.migrate.flux import FluxInstallation, FluxMove, movable, move_flux
from kilde.core.migrate.flux.reading import inventory, is_busy, is_suspended
from kilde.core.migrate.note import Note, State, Stopped
from kilde.core.objects.ref import ObjectRef
from kilde.engine.fleet.applications import APPLICATIONS
from kilde.engine.fleet.projects import PROJECTS
from kilde.engine.migration.flux.handover import handover_for
from kilde.engine.migration.flux.reading import GROUPS, read_flux
from kilde.engine.migration.handover import ref_of
from kilde.engine.migration.moving import Tell
from kilde.engine.migration.noting import LOOK, MANAGER, MOST, PATIENCE, Notebook, replace_state, told_of
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

SYSTEM = "flux"
_decode = msgspec.json.Decoder(dict).decode


class FluxMover:
    """For the Flux of one cluster, and the Applications of one namespace. `tell` is given a sentence for each thing done."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str, tell: Tell) -> None:
        self._cluster, self._clock, self._namespace, self._tell = cluster, clock, namespace, tell
        self._notebook = Notebook(cluster, clock, namespace, SYSTEM)

    async def take_over(self, *, accept: bool) -> None:
        """Suspends what moves, makes its objects Kilde's, and writes Applications. `accept`: though a person is needed. KildeError."""
        note = await self._notebook.read()
        if note is None or note.state is State.RETURNED:
            await self._check(accept=accept)
        if note is None or note.state is not State.TAKEN:
            note = await self._stopping(note)
            await self._suspend(note)
            await self._until_suspended()
            note = await self._notebook.write(replace_state(note, State.OWNING))
        moves, project = await self._moves(note)
        self._tell(told_of(await (await handover_for(self._cluster, self._namespace)).take(moves), "Flux's", "Kilde's"))
        if note.state is not State.TAKEN:
            await self._write_applications(moves, project)
            await self._notebook.write(replace_state(note, State.TAKEN))
        self._tell("taken over: kilde up writes from now on; the way back is kilde migrate flux --hand-back")

    async def hand_back(self) -> None:
        """Waits until Kilde writes no more, makes its objects Flux's, and resumes what was suspended for the move. KildeError."""
        note = await self._notebook.read()
        if note is None:
            hint = "kilde migrate flux --take-over comes first"
            raise KildeError("nothing was taken over", about=f"namespace {self._namespace}", hint=hint)
        if note.state in (State.STOPPING, State.OWNING, State.TAKEN):
            at_work = [app.name for app in await self._apps() if busy(app)]
            if at_work:
                hint = "wait for its end, or end it: kilde app terminate"
                raise KildeError(
                    "is in the middle of an operation; nothing was resumed", about=_some(at_work), hint=hint
                )
            note = await self._notebook.write(replace_state(note, State.RETURNING))
        if note.state is State.RETURNING:
            await self._notebook.until_released(self._tell)
            moves, _ = await self._moves(note)
            found = await (await handover_for(self._cluster, self._namespace)).give_back(moves, await self._listed())
            self._tell(told_of(found, "Kilde's", "Flux's"))
        await self._resume(note)
        if note.state is not State.RETURNED:
            await self._notebook.write(replace_state(note, State.RETURNED))
        self._tell("handed back: Flux writes from now on; kilde up holds until it is taken over again")

    async def _check(self, *, accept: bool) -> None:
        """All that can be known before anything is written."""
        found = await read_flux(self._cluster, self._namespace, "")
        people = move_flux(found).move.of("person")
        if people and not accept:
            text = f"{len(people)} things need a person before the move, the first: {people[0].text}"
            raise KildeError(text, about=people[0].about, hint="see kilde migrate flux; --accept goes on all the same")
        moves, _ = movable(found)
        if not moves:
            raise KildeError(
                "has nothing that would become an Application", about="Flux", hint="see kilde migrate flux"
            )
        for move in moves:
            raw = await self._cluster.get(APPLICATIONS, self._namespace, move.name)
            if raw and _sources(_decode(raw)) != _sources(move.made):
                hint = f"it would stand for {move.at}: give it another name, or the same source"
                raise KildeError("is there and has another source", about=f"Application {move.name}", hint=hint)

    async def _stopping(self, note: Note | None) -> Note:
        """The note with all that is to be suspended; what was noted before it was suspended stays."""
        known = {str(one): one for one in note.stopped} if note is not None and note.state is not State.RETURNED else {}
        for move in movable(await read_flux(self._cluster, self._namespace, ""))[0]:
            if not is_suspended(move.body):
                at = move.at
                known[str(at)] = Stopped(kind=at.kind, namespace=at.namespace, name=at.name, replicas=1)
        version = note.version if note is not None else ""
        made = Note(system=SYSTEM, state=State.STOPPING, stopped=tuple(known.values()), version=version)
        return await self._notebook.write(made)

    async def _suspend(self, note: Note) -> None:
        """Those first that make others: what they say of these is suspended with them."""
        for move in makers_first((await self._moves(note))[0]):
            if not is_suspended(move.body):
                await self._set(move.at.kind, move.at.namespace, move.at.name, suspend=True)
                self._tell(f"{move.at}: suspended")

    async def _until_suspended(self) -> None:
        """Until none is reconciled any more: a suspended one ends what it has begun. Where no controller runs there is nothing to end."""
        end = self._clock.monotonic() + PATIENCE
        seen: dict[str, str] | None = None
        while True:
            found = await read_flux(self._cluster, self._namespace, "")
            moves, _ = movable(found)
            awake = [str(move.at) for move in moves if not is_suspended(move.body)]
            if awake:
                hint = "does Git or somebody else set spec.suspend? Put that right and run this again, or --hand-back"
                raise KildeError("is not suspended any more; nothing was taken over", about=_some(awake), hint=hint)
            if not any(workload.runs for workload in found.workloads):
                return
            busy = [str(move.at) for move in moves if is_busy(move.body)]
            now = {str(move.at): str(move.body["metadata"].get("resourceVersion")) for move in moves}
            if not busy and now == seen:
                return
            seen = now
            if self._clock.monotonic() > end:
                hint = "look at its status; run this again when it has ended, or --hand-back"
                raise KildeError("is still being reconciled; nothing was taken over", about=_some(busy), hint=hint)
            await self._clock.sleep(LOOK)

    async def _write_applications(self, moves: Sequence[FluxMove], project: Object) -> None:
        """What is there already stays as it is. Without pruning: what Kilde renders otherwise than Flux must not cost an object."""
        written = 0
        for resource, body in ((PROJECTS, project), *((APPLICATIONS, careful(move.made)) for move in moves)):
            try:
                await self._cluster.create(resource, body, manager=MANAGER)
            except ClusterError as error:
                if error.status != 409:
                    raise
                continue
            written += resource is APPLICATIONS
        self._tell(f"{written} Applications written, without pruning: see what kilde plan says, then let them prune")

    async def _resume(self, note: Note) -> None:
        """Those first that others are made by, so that Git's word is heard first."""
        found = await read_flux(self._cluster, self._namespace, "")
        there = {str(move.at): move for move in makers_first(movable(found)[0])}
        stopped = {str(one) for one in note.stopped}
        for name in stopped - set(there):
            self._tell(f"{name}: is no longer there, and not resumed")
        for name, move in there.items():
            if name in stopped and is_suspended(move.body):
                await self._set(move.at.kind, move.at.namespace, move.at.name, suspend=False)
                self._tell(f"{name}: resumed")

    async def _moves(self, note: Note) -> tuple[tuple[FluxMove, ...], Object]:
        found: FluxInstallation = await read_flux(self._cluster, self._namespace, "")
        return movable(found, stopped={str(one) for one in note.stopped})

    async def _listed(self) -> dict[str, list[ObjectRef]]:
        """The objects that each Application has."""
        return {app.name: [ref_of(one) for one in listed_by(app)] for app in await self._apps()}

    async def _apps(self) -> list[Application]:
        raws = await self._cluster.list(APPLICATIONS, self._namespace)
        return [read_application(_decode(raw)) for raw in raws]

    async def _set(self, kind: str, namespace: str, name: str, *, suspend: bool) -> None:
        resource = await self._resource(kind)
        patch = {"spec": {"suspend": True if suspend else None}}  # as it was: not there
        await self._cluster.patch(resource, namespace, name, patch, manager=MANAGER)

    async def _resource(self, kind: str) -> Resource:
        found = (await self._cluster.discovery()).resource(GROUPS[kind], kind)
        if found is None:
            raise KildeError("is not served any more", about=kind)
        return found


def careful(made: Object) -> Object:
    """The Application with which nothing is deleted: its automated syncs prune nothing."""
    policy = made["spec"].get("syncPolicy") or {}
    if "automated" not in policy:
        return made
    automated = {**policy["automated"], "prune": False}
    return {**made, "spec": {**made["spec"], "syncPolicy": {**policy, "automated": automated}}}


def _sources(body: Object) -> tuple[object, ...]:
    source = (body.get("spec") or {}).get("source") or {}
    return tuple(source.get(key) for key in ("repoURL", "path", "chart"))


def makers_first(moves: Iterable[FluxMove]) -> list[FluxMove]:
    """A Kustomization before those that it has made, as deep as they go."""
    left = {(move.at.kind, move.at.namespace, move.at.name): move for move in moves}
    made = {
        at: {(ref.kind, ref.namespace, ref.name) for ref in inventory(move.body)} & left.keys() - {at}
        for at, move in left.items()
    }
    out: list[FluxMove] = []
    while left:
        below = set().union(*(made[at] for at in left))
        top = [at for at in left if at not in below] or list(left)  # those that make each other: as they come
        out += [left.pop(at) for at in top]
    return out


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST])
