"""Hooks in the cluster: how far one is, taking its finalizer off, deleting it."""

from datetime import datetime

from kilde.core.apply.commands import Sight
from kilde.core.apply.outcome import Phase
from kilde.core.apply.tasks import Task
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.health.health import Health, HealthStatus
from kilde.core.plan.hooks import FINALIZER
from kilde.engine.operation.pen import Pen
from kilde.engine.operation.writes import propagation
from kilde.engine.requests import persist, resource_of

_HOOK_PHASES = {
    HealthStatus.UNKNOWN: Phase.FAILED,
    HealthStatus.DEGRADED: Phase.FAILED,
    HealthStatus.MISSING: Phase.FAILED,
    HealthStatus.PROGRESSING: Phase.RUNNING,
    HealthStatus.SUSPENDED: Phase.RUNNING,
    HealthStatus.HEALTHY: Phase.SUCCEEDED,
}


def sight_of(task: Task, pen: Pen, *, since: float | None, earlier: frozenset[str] | None) -> Sight:
    """How far a task is, by the health of its object as the live view has it. Nothing is asked of the cluster.

    `since`: when the attempt began that was cut off (None: it was not), `earlier`: uids of hooks that were there before it. Where
    those are not known, the clocks tell.

    A hook is over when it is well or ill; anything else is done when it is well, and fails when it is Degraded. What has no health is well.
    """
    held = pen.live.get(task.change.ref)
    if held is None:
        return Sight(there=pen.live.exists(task.change.ref) is True)
    body = held.body()
    meta = body.get("metadata") or {}
    health, going = pen.assess(body), bool(meta.get("deletionTimestamp"))
    ours = since is not None and (
        meta.get("uid") not in earlier if earlier is not None else _made_at(meta) >= int(since)
    )
    if task.hook is not None and health is not None and health.failed:
        told = f"failed to get resource health for {meta.get('namespace', '')}/{meta.get('name')}: {health.message}"
        told = f"failed to get resource health: failed to get resource health: {told}"
        return Sight(phase=Phase.ERROR, message=told, going=going, ours=ours)
    if task.hook is not None:
        told = health.message if health else f"{task.change.ref.name} created"
        return Sight(phase=_hook_phase(health), message=told, going=going, ours=ours)
    if health is None or health.status is HealthStatus.HEALTHY:
        return Sight(phase=Phase.SUCCEEDED, message=health.message if health else "", going=going)
    if health.status is HealthStatus.DEGRADED:
        return Sight(phase=Phase.FAILED, message=health.message, going=going)
    return Sight(going=going)


def _hook_phase(health: Health | None) -> Phase:
    return Phase.SUCCEEDED if health is None else _HOOK_PHASES[health.status]


def _made_at(meta: Object) -> float:
    try:
        return datetime.fromisoformat(str(meta.get("creationTimestamp", ""))).timestamp()
    except ValueError:
        return 0.0


async def release_hook(task: Task, pen: Pen) -> str:
    """Takes the hook finalizer off; what went wrong, or ""."""
    ref = task.change.ref
    held = pen.live.get(ref)
    finalizers = (held.body().get("metadata") or {}).get("finalizers") or [] if held else []
    if held is None or FINALIZER not in finalizers:
        return ""
    patch = {"metadata": {"finalizers": [name for name in finalizers if name != FINALIZER] or None}}
    try:
        resource = await resource_of(pen.cluster, ref, task.change.version)
        raw = await persist(
            lambda: pen.cluster.patch(resource, ref.namespace, ref.name, patch, manager=pen.manager), pen.clock
        )
    except ClusterError as error:
        return "" if error.status == 404 else error.what
    pen.live.observe(ref, raw)
    return ""


async def delete_hook(task: Task, pen: Pen) -> str:
    """Deletes a hook, and does not wait until it is gone; what went wrong, or ""."""
    ref = task.change.ref
    try:
        resource = await resource_of(pen.cluster, ref, task.change.version)
        way = propagation(pen.policy.options)
        there = await persist(lambda: pen.cluster.delete(resource, ref.namespace, ref.name, propagation=way), pen.clock)
    except ClusterError as error:
        return error.what
    if not there:
        pen.live.observe(ref, None)
    return ""
