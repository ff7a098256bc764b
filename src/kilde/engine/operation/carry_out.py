"""Performs the commands of core.apply.operation on a cluster, and sends each answer back.

Here, in writes.py, hook_runs.py and deletion.py, is where an application's objects are written; nowhere else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from kilde.core.apply.commands import (
    ApplyAll,
    AskAllowed,
    AskConfirmed,
    AwaitServed,
    Command,
    CreateNamespace,
    DeleteHooks,
    Incomparable,
    Look,
    Pause,
    PruneAll,
    ReleaseHooks,
    Reply,
    Tell,
    Terminated,
    Wait,
)
from kilde.core.apply.operation import SyncOrder, sync
from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apply.tasks import Task
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.values import Object
from kilde.core.objects.object_meta import texts_of
from kilde.core.objects.ref import GroupKind, ObjectRef, join_api_version
from kilde.core.plan.change import Action, Change
from kilde.core.plan.policy import SYNC_OPTIONS_ANNOTATION, object_options
from kilde.engine.operation.hook_runs import delete_hook, release_hook, sight_of
from kilde.engine.operation.pen import Pen
from kilde.engine.operation.results import refused, result_of
from kilde.engine.operation.writes import apply_one, prune_one
from kilde.engine.requests import persist, resource_of
from kilde.ports.cluster import Discovery, Resource

_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_SKIP_MISSING = "SkipDryRunOnMissingResource"
_SERVED_PATIENCE = 30.0
_NO_VERSION = "failed to discover server resources for group version : groupVersion shouldn't be empty"
_NOT_VALID = "one or more synchronization tasks are not valid"


async def _seen(refs: Sequence[ObjectRef]) -> None:
    """All that is looked at is watched already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What one operation works with.

    `tell` writes down how far it is; `wait` does, and then waits for a change; `pause` waits between waves. `allowed`: no sync window is in
    the way now; `broken`: why what is there cannot be compared now ("" where it can). `refuses` is what the
    application's project says of an object ("" where it permits it). `since`: this attempt began then, and was cut off.
    `watch` sees to it that these objects are watched: their kinds may not have been served when the operation began.
    `keep` keeps what is about to be deleted, so that it can be put back; what cannot be kept is not deleted (KildeError).
    """

    pen: Pen
    parallel: int
    tell: Callable[[str, tuple[ObjectResult, ...]], Awaitable[None]]
    wait: Callable[[str, tuple[ObjectResult, ...]], Awaitable[None]]
    pause: Callable[[], Awaitable[None]]
    confirmed: Callable[[], bool]
    stopped: Callable[[], bool]
    allowed: Callable[[], bool]
    broken: Callable[[], str] = field(default=lambda: "")
    refuses: Callable[[ObjectRef, Resource], str] = field(default=lambda ref, resource: "")
    since: float | None = None
    earlier: frozenset[str] | None = None
    keep: Callable[[Sequence[Change]], None] = field(default=lambda changes: None)
    watch: Callable[[Sequence[ObjectRef]], Awaitable[None]] = field(default=_seen)


async def carry_out(order: SyncOrder, hands: Hands) -> Outcome:
    """Walks the tasks to their end. Never raises for what the cluster refuses: that is in the outcome.

    A kind that the cluster does not serve, and that nothing here defines, or that the project forbids, stops it before the first write.
    """
    if why := hands.broken():
        return Outcome(Phase.ERROR, why)
    invalid, reasons = await _invalid(order, hands)
    if invalid:
        return Outcome(Phase.FAILED, f"{_NOT_VALID}: {'; '.join(sorted(set(reasons)))}", invalid)
    walk = sync(order)
    stopping = False
    try:
        command = next(walk)
        while True:
            if not stopping and hands.stopped():
                stopping = True
                command = walk.throw(Terminated())
                continue
            if isinstance(command, AskAllowed) and (why := hands.broken()):
                walk.throw(Incomparable(why))
            command = walk.send(await _perform(command, hands, dry_run=order.dry_run))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


async def _invalid(order: SyncOrder, hands: Hands) -> tuple[tuple[ObjectResult, ...], list[str]]:
    """What cannot be, with the reasons an operation gives."""
    coming, pen = set(order.defines.values()), hands.pen
    found: list[ObjectResult] = []
    reasons: list[str] = []
    if order.create_namespace:
        space = ObjectRef("", "Namespace", "", order.create_namespace)
        if denied := hands.refuses(space, _NAMESPACES):
            change = Change(ref=space, action=Action.CREATE, why="CreateNamespace=true", version="v1")
            error = ClusterError(denied, status=403, reason="NotPermitted")
            found.append(refused(change, error, pen, phase="PreSync"))
            reasons.append(denied)
    for task in order.tasks:
        change = task.change
        if not change.version and not task.is_prune:
            found.append(_unfit(task, ClusterError(_NO_VERSION, status=400, reason="UnknownKind"), pen))
            reasons.append(_NO_VERSION)
            continue
        try:
            resource = await resource_of(pen.cluster, change.ref, change.version, task.namespace)
        except ClusterError as error:
            if error.reason != "UnknownKind":
                raise
            if task.is_prune or change.ref.group_kind in coming or _skips_missing(pen.body(change.ref), pen):
                continue
            found.append(_unfit(task, error, pen))
            reasons.append(_why_unknown(change, error, await pen.cluster.discovery()))
            continue
        denied = hands.refuses(change.ref, resource)
        if denied:
            found.append(_unfit(task, ClusterError(denied, status=403, reason="NotPermitted"), pen))
            reasons.append(denied)
    return tuple(found), reasons


def _why_unknown(change: Change, error: ClusterError, discovery: Discovery) -> str:
    """Argo CD's words where nothing of the group version is served; else those that name the object."""
    group, version = change.ref.group, change.version
    if any((found.group, found.version) == (group, version) for found in discovery.all()):
        return error.what
    text = f"failed to discover server resources for group version {join_api_version(group, version)}"
    return f"{text}: the server could not find the requested resource"


def _unfit(task: Task, error: ClusterError, pen: Pen) -> ObjectResult:
    wanted = None if task.is_prune else pen.body(task.change.ref)
    result = refused(task.change, error, pen, wanted=wanted, phase=str(task.phase))
    return replace(
        result, reported_namespace=task.namespace, hook_type=str(task.phase) if task.hook is not None else ""
    )


def _skips_missing(wanted: Object, pen: Pen) -> bool:
    own = object_options(texts_of((wanted.get("metadata") or {}).get("annotations")))
    return own.is_on(_SKIP_MISSING) or pen.policy.options.is_on(_SKIP_MISSING)


def defined_kind(body: Object) -> GroupKind:
    """The kind that a CustomResourceDefinition defines; what is not of its type is the cluster's to refuse."""
    spec = body.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict):
        return GroupKind("", "")
    return GroupKind(str(spec.get("group", "")), str(names.get("kind", "")))


async def _perform(command: Command, hands: Hands, *, dry_run: bool) -> Reply:  # noqa: C901 - one line for each command
    match command:
        case CreateNamespace(name):
            return await _create_namespace(name, hands, dry_run=dry_run)
        case ApplyAll(tasks):
            return await _apply_all(tasks, hands, dry_run=dry_run)
        case PruneAll(tasks):
            return await _prune_all(tasks, hands, dry_run=dry_run)
        case AwaitServed(tasks):
            return await _await_served((task.change for task in tasks), hands)
        case Look(tasks):
            await hands.watch([task.change.ref for task in tasks])
            return tuple([sight_of(task, hands.pen, since=hands.since, earlier=hands.earlier) for task in tasks])
        case ReleaseHooks(tasks):
            return tuple([await release_hook(task, hands.pen) for task in tasks])
        case DeleteHooks(tasks):
            return tuple([await delete_hook(task, hands.pen) for task in tasks])
        case Tell(message, results):
            await hands.tell(message, results)
        case Wait(message, results):
            await hands.wait(message, results)
        case AskConfirmed():
            return hands.confirmed()
        case AskAllowed():
            return hands.allowed()
        case Pause():
            await hands.pause()
    return None


async def _prune_all(tasks: tuple[Task, ...], hands: Hands, *, dry_run: bool) -> tuple[ObjectResult, ...]:
    if not dry_run:
        try:
            hands.keep([task.change for task in tasks])
        except KildeError as error:
            text = f"not pruned: {error}"
            failed = ResultCode.FAILED
            return tuple([result_of(task.change, text, verb="refused", code=failed) for task in tasks])
    return await _all_of(tasks, lambda task: prune_one(task.change, hands.pen, dry_run=dry_run), hands.parallel)


async def _apply_all(tasks: tuple[Task, ...], hands: Hands, *, dry_run: bool) -> tuple[ObjectResult, ...]:
    return await _all_of(tasks, lambda task: apply_one(task.change, hands.pen, dry_run=dry_run), hands.parallel)


async def _all_of(
    tasks: tuple[Task, ...], do: Callable[[Task], Awaitable[ObjectResult]], parallel: int
) -> tuple[ObjectResult, ...]:
    """Does so many at once; the results are in the order of the tasks."""
    gate = asyncio.Semaphore(parallel)

    async def one(task: Task) -> ObjectResult:
        async with gate:
            return await do(task)

    return tuple(await asyncio.gather(*(one(task) for task in tasks)))


async def _create_namespace(name: str, hands: Hands, *, dry_run: bool) -> tuple[ObjectResult, ...]:
    """Makes the destination namespace, without tracking: it outlives the application."""
    ref, pen = ObjectRef("", "Namespace", "", name), hands.pen
    policy = pen.policy
    managed = bool(policy.namespace_labels or policy.namespace_annotations)
    try:
        raw = await persist(lambda: pen.cluster.get(_NAMESPACES, "", name), pen.clock)
        if (raw is not None and not managed) or dry_run:
            return ()
        meta: dict[str, object] = {"name": name}
        if policy.namespace_labels:
            meta["labels"] = dict(policy.namespace_labels)
        if managed:
            meta["annotations"] = {**policy.namespace_annotations, SYNC_OPTIONS_ANNOTATION: "ServerSideApply=true"}
        body: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
        way = pen.way(body)
        way.check()
        applied = await persist(lambda: pen.cluster.apply(_NAMESPACES, body, manager=pen.manager), pen.clock)
    except ClusterError as error:
        change = Change(ref=ref, action=Action.CREATE, why="CreateNamespace=true", version="v1")
        return (refused(change, error, pen, phase="PreSync"),)
    word = "serverside-applied" if way.server_side else "created" if applied.created else "configured"
    return (
        ObjectResult(
            ref=ref,
            version="v1",
            code=ResultCode.SYNCED,
            message=f"namespace/{name} {word}",
            verb=word,
            hook_phase="Succeeded" if managed else "Running",  # one that is not managed is not looked at again
            sync_phase="PreSync",
        ),
    )


async def _await_served(changes: Iterable[Change], hands: Hands) -> tuple[ObjectResult, ...]:
    """Waits until the cluster serves the kinds that these definitions define."""
    unserved: list[ObjectResult] = []
    pen = hands.pen
    for change in changes:
        group, kind = defined_kind(pen.body(change.ref))
        deadline = pen.clock.monotonic() + _SERVED_PATIENCE
        pause = 0.05
        while (await pen.cluster.discovery(refresh=True)).resource(group, kind) is None:
            if pen.clock.monotonic() > deadline:
                text = f"{group}/{kind} is not served {_SERVED_PATIENCE:.0f} s after its definition was applied"
                unserved.append(result_of(change, text, verb="wait", code=ResultCode.FAILED))
                break
            await pen.clock.sleep(pause)
            pause = min(pause * 2, 1.0)
    return tuple(unserved)
