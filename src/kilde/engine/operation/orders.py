"""Orders: what an operation works on, made ready for the walk: tasks with their hooks and bodies, and what they are allowed."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from kilde.core.apply.operation import SyncOrder
from kilde.core.apply.outcome import ObjectResult, Phase, ResultCode
from kilde.core.apply.tasks import Task
from kilde.core.apps.application import Application
from kilde.core.apps.operation import read_operation
from kilde.core.apps.status import told_operation
from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.hooks import FINALIZER, SyncPhase, hook_spec
from kilde.core.plan.planner import Plan
from kilde.engine.context import Context
from kilde.engine.operation.carry_out import defined_kind
from kilde.engine.runtime import Packed, Running, Wish

_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]")
_CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
RETRYING = ". Retrying attempt #"  # between why an attempt failed and the number of the next
_RUNS = (SyncPhase.PRE_SYNC, SyncPhase.SYNC, SyncPhase.POST_SYNC, SyncPhase.SYNC_FAIL)


@dataclass(frozen=True, slots=True)
class Order:
    """The walk's order, and the bodies of hooks as they are written (their names and finalizers are ours)."""

    sync: SyncOrder
    hook_bodies: dict[ObjectRef, Object] = field(default_factory=dict)


def make_order(
    app: Application,
    wish: Wish,
    plan: Plan,
    running: Running,
    *,
    create_namespace: str,
    before: tuple[ObjectResult, ...],
) -> Order:
    """Everything the operation does, not yet in order."""
    operation = running.operation
    destination = app.destination.namespace
    tasks, defines = [], {}
    ranks = wish.ranks(destination).of
    hooks = not operation.resources and not operation.without_hooks
    remade = {ref for ref, hook in wish.hooks if hooks and SyncPhase.PRE_SYNC in _phases(hook, ref)}
    for change in plan.changes:
        packed = wish.objects.get(change.ref)
        if change.action in (Action.PRUNE, Action.HOLD) and change.ref in remade:
            continue  # it was an object, and is a hook by the time that objects are pruned
        if change.aside or (change.hook and packed is None) or _left_out(change, app):
            continue
        place = "" if change.ref.namespace or change.action in (Action.PRUNE, Action.HOLD) else destination
        rank = 0 if change.action in (Action.PRUNE, Action.HOLD) else ranks.get(change.ref, 0)
        tasks.append(Task(change=change, wave=change.wave, rank=rank, namespace=place))
        if change.ref.group_kind == _CRD and packed is not None:
            defines[change.ref] = defined_kind(packed.unpack(change.ref).manifest.body)
    bodies: dict[ObjectRef, Object] = {}
    if hooks:
        for ref, hook in wish.hooks:
            for task, body in _hook_tasks(ref, hook, wish.sha, running.started_at, destination):
                tasks.append(task)
                bodies[task.change.ref] = body
    known = {(result.ref, SyncPhase(result.sync_phase)): result for result in before}
    keys = {(_shown(task), task.phase): task.key for task in tasks}
    return Order(
        SyncOrder(
            tasks=tuple(tasks),
            defines=defines,
            create_namespace=create_namespace,
            dry_run=operation.dry_run,
            prune=operation.prune,
            before={keys[told]: result for told, result in known.items() if told in keys},
        ),
        bodies,
    )


def _phases(hook: Packed, ref: ObjectRef) -> tuple[SyncPhase, ...]:
    return hook_spec(hook.unpack(ref).manifest.annotations).phases


def _shown(task: Task) -> ObjectRef:
    """The object as a result names it: with the destination's namespace where it has none."""
    return replace(task.change.ref, namespace=task.change.ref.namespace or task.namespace)


def _left_out(change: Change, app: Application) -> bool:
    """`ApplyOutOfSyncOnly`: what is as in Git is not touched."""
    return app.policy.options.is_on("ApplyOutOfSyncOnly") and change.action is Action.KEEP


def _hook_tasks(
    ref: ObjectRef, packed: Packed, sha: str, started_at: float, destination: str
) -> list[tuple[Task, Object]]:
    """A hook's task in each of its phases; one without a name gets Argo CD's, from commit, phase and start."""
    body = packed.unpack(ref).manifest.body
    meta = body["metadata"]
    spec = hook_spec(meta.get("annotations") or {})
    out = []
    for phase in spec.phases:
        if phase not in _RUNS:
            continue
        its, named = named_hook(ref, body, phase, sha, started_at)
        finalizers = list(meta.get("finalizers") or ())
        if FINALIZER not in finalizers:
            finalizers.append(FINALIZER)
        written = {**named, "metadata": {**named["metadata"], "finalizers": finalizers}}
        change = Change(
            ref=its,
            action=Action.CREATE,
            why=f"{phase} hook",
            version=packed.version,
            wave=packed.wave,
            fault=packed.fault,
        )
        task = Task(
            change=change, phase=phase, wave=packed.wave, hook=spec, namespace="" if ref.namespace else destination
        )
        out.append((task, written))
    return out


def named_hook(ref: ObjectRef, body: Object, phase: SyncPhase, sha: str, started_at: float) -> tuple[ObjectRef, Object]:
    """A hook with its name: its own, or Argo CD's, from commit, phase and start (seconds since the epoch)."""
    meta = dict(body["metadata"])
    if not ref.name:
        short = _NOT_IN_NAMES.sub("-", sha[:7].lower())  # a chart's version or a digest may have more than a name
        meta["name"] = f"{meta.get('generateName', '')}{short}-{phase.lower()}-{int(started_at)}"
        ref = replace(ref, name=meta["name"])
    return ref, {**body, "metadata": meta}


def told_before(app: Application) -> tuple[ObjectResult, ...]:
    """What the status tells of an attempt that was cut off. Nothing, where it cannot be read: then all but its hooks is done again.

    Nor where the status has yet to tell that this attempt has begun: what it tells is how the one before it ended.
    """
    state = app.status.get("operationState") or {}
    if RETRYING in str(state.get("message") or ""):
        return ()
    found = []
    for item in (state.get("syncResult") or {}).get("resources") or ():
        phase, told = str(item.get("hookPhase") or ""), str(item.get("status") or "")
        if told not in set(ResultCode) or phase not in set(Phase) or item.get("syncPhase") not in set(SyncPhase):
            return ()
        found.append(_read(item, told, phase))
    return tuple(found)


def _read(item: dict[str, Any], told: str, phase: str) -> ObjectResult:
    ref = ObjectRef(*(str(item.get(key) or "") for key in ("group", "kind", "namespace", "name")))
    return ObjectResult(
        ref=ref,
        version=str(item.get("version") or ""),
        code=ResultCode(told),
        message=str(item.get("message") or ""),
        verb="wait",
        hook_phase=phase,
        sync_phase=str(item.get("syncPhase")),
    )


def left_over(ctx: Context, app: Application) -> Running | None:
    """The operation that the status says runs, though this process does not know of it: taken up where it was cut off."""
    state = app.status.get("operationState")
    if not isinstance(state, dict) or state.get("phase") != Phase.RUNNING:
        return None
    asked = app.operation
    if asked is not None and asked.retry.refresh and state.get("retryCount"):
        asked = asked.at_latest()
    if asked is not None and told_operation(asked.raw) != state.get("operation"):
        return None  # somebody has asked for another one since
    operation = asked or read_operation(state.get("operation"), app.sources, several=app.several)
    if operation.problem:
        return None
    begun = parse(str(state.get("startedAt", ""))) or ctx.now()
    cut = ctx.cut_off.get(app.name)
    since = cut.since if cut is not None else None
    if since is None and RETRYING not in str(state.get("message", "")):
        since = begun  # an attempt ended, and nobody came to tell of it
    retries = int(state.get("retryCount") or 0)
    earlier = cut.earlier if cut is not None else None
    return Running(operation, heal=False, started_at=begun, number=0, retries=retries, since=since, earlier=earlier)
