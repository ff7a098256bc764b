"""One operation, from its record's opening to its closing: status before, the walk, status after, retries."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kilde.core.apply.operation import SyncOrder
from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apps.application import Application
from kilde.core.apps.operation import Operation
from kilde.core.apps.status import OperationState, Verdict, add_history, render_operation, render_status
from kilde.core.basics.backoff import Backoff
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.planner import Plan
from kilde.core.source.revision import Revision
from kilde.engine.carry_out import Hands, carry_out
from kilde.engine.context import Context
from kilde.engine.runtime import Running, Runtime, Wish

_UNAVAILABLE = Backoff(first=2.0, factor=2.0, ceiling=30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one attempt works on. `verdict` tells how the application looks at any moment, for its status."""

    app: Application
    rt: Runtime
    wish: Wish
    plan: Plan
    revision: Revision | None
    running: Running
    verdict: Callable[[], Verdict]


async def operate(ctx: Context, job: Job) -> float | None:
    """One attempt. Gives the seconds until the next one (None: the operation is over)."""
    app, running = job.app, job.running
    number = ctx.accounts.opened(
        app,
        cause="operation",
        asked_by=running.operation.asked_by,
        revision=job.revision,
        digest=job.wish.digest,
        changes=job.plan.changes,
        attempt=running.retries,
    )
    running.number, running.retry_at = number, None
    job.rt.busy = True
    outcome = Outcome(Phase.ERROR, "interrupted")
    telling = ctx.start(f"tell of the operation of {app.name}", _tell_running(ctx, job))
    try:
        outcome = await carry_out(_order(ctx, job), _hands(ctx, job))
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        job.rt.busy = False
        ctx.accounts.closed(number, app, outcome)
    delay = _retry_after(job, outcome, ctx.world.clock.dice())
    if delay is not None:
        return await _try_again(ctx, job, outcome, delay)
    await _finish(ctx, job, outcome)
    return None


def _order(ctx: Context, job: Job) -> SyncOrder:
    app = job.app
    wants = app.policy.options.is_on("CreateNamespace") and app.destination.namespace
    partial = bool(job.running.operation.resources)
    managed = bool(app.policy.namespace_labels or app.policy.namespace_annotations)
    there = ctx.live.exists(ObjectRef("", "Namespace", "", app.destination.namespace))
    needed = wants and (there is not True or (managed and not partial))
    in_git = ObjectRef("", "Namespace", "", app.destination.namespace) in job.wish.objects
    return SyncOrder(
        changes=job.plan.changes,
        create_namespace=app.destination.namespace if needed and not in_git else "",
        dry_run=job.running.operation.dry_run,
    )


def _hands(ctx: Context, job: Job) -> Hands:
    app, rt = job.app, job.rt

    def body(ref: ObjectRef) -> dict[str, Any]:
        return job.wish.objects[ref].unpack(ref).manifest.body

    def health(ref: ObjectRef) -> tuple[str, str]:
        found = ctx.surveyor.judge(app, rt, ref, job.wish.objects[ref])
        return found.health, found.health_message

    return Hands(
        cluster=ctx.world.cluster,
        live=ctx.live,
        clock=ctx.world.clock,
        manager=ctx.settings.manager,
        policy=app.policy,
        body=body,
        health=health,
        wrote=lambda result: None,
        changed=lambda seconds, waiting: _wait_for(ctx, job, seconds, waiting),
        parallel=ctx.settings.parallel_writes,
        wave_patience=ctx.settings.wave_patience,
        stopped=lambda: _terminating(ctx, app.name),
    )


def _terminating(ctx: Context, name: str) -> bool:
    app = ctx.fleet.get(name)
    if app is None or app.deleting:
        return True
    state = app.status.get("operationState")
    return isinstance(state, dict) and state.get("phase") == Phase.TERMINATING


def _state(job: Job, phase: Phase, message: str) -> dict[str, Any]:
    running = job.running
    return {
        "operation": running.operation.raw,
        "phase": phase,
        "message": message,
        "started_at": running.started_at,
        "retries": running.retries,
        "revision": job.wish.sha,
    }


async def _tell_running(ctx: Context, job: Job) -> None:
    """Says that an operation runs: at once when somebody asked for it or it has waves, else if it takes its time."""
    waves = {change.wave for change in job.plan.changes if change.differs}
    if job.running.operation.automated and len(waves) < 2 and not job.running.retries:
        await ctx.world.clock.sleep(ctx.settings.tell_after)
    await _tell(ctx, job, OperationState(**_state(job, Phase.RUNNING, job.running.message)))


async def _tell(ctx: Context, job: Job, state: OperationState) -> None:
    verdict = job.verdict()

    def build(app: Application) -> dict[str, Any]:
        return {**render_status(app, verdict, now=ctx.now()), "operationState": render_operation(state, app)}

    await ctx.reporter.write(job.app.name, build)


def _retry_after(job: Job, outcome: Outcome, dice: float) -> float | None:
    running, retry = job.running, job.running.operation.retry
    if outcome.phase not in (Phase.FAILED, Phase.ERROR) or outcome.message == "Operation terminated":
        return None
    if outcome.unavailable and running.operation.automated:
        return _UNAVAILABLE.delay(running.retries + 1, dice=dice)
    if 0 <= retry.limit <= running.retries:
        return None
    return min(retry.first * retry.factor**running.retries, retry.ceiling)


async def _try_again(ctx: Context, job: Job, outcome: Outcome, delay: float) -> float:
    running = job.running
    running.retries += 1
    running.retry_at = ctx.world.clock.monotonic() + delay
    state = OperationState(
        **{
            **_state(
                job,
                Phase.RUNNING,
                f"{outcome.message}. Retrying attempt #{running.retries} at {_clock(ctx.now() + delay)}.",
            ),
            "results": outcome.results,
            "has_result": True,
        }
    )
    running.message = f"Retrying operation. Attempt #{running.retries}"
    await _tell(ctx, job, state)
    return delay


async def _finish(ctx: Context, job: Job, outcome: Outcome) -> None:
    app, running, operation = job.app, job.running, job.running.operation
    if running.retries and outcome.phase is not Phase.SUCCEEDED:
        outcome = replace(outcome, message=f"{outcome.message} (retried {running.retries} times).")
    await _settle(ctx, job)
    ended = ctx.now()
    state = OperationState(
        **{
            **_state(job, outcome.phase, outcome.message),
            "finished_at": ended,
            "results": _ordered(outcome.results),
            "has_result": True,
        }
    )
    deployed = outcome.phase is Phase.SUCCEEDED and not operation.dry_run and not operation.resources
    job.rt.running = None
    verdict = job.verdict()

    def build(now_app: Application) -> dict[str, Any]:
        status = {**render_status(now_app, verdict, now=ctx.now()), "operationState": render_operation(state, now_app)}
        if deployed:
            history = add_history(
                now_app.status.get("history") or (),
                now_app,
                revision=job.wish.sha,
                started=running.started_at,
                ended=ended,
                by=dict(operation.raw.get("initiatedBy") or {}),
            )
            status.pop("history", None)
            if history:
                status["history"] = history
        return status

    ends = operation.raw if app.operation is not None else None
    await ctx.reporter.write(app.name, build, ends=ends)
    if not operation.automated or outcome.phase is not Phase.SUCCEEDED or running.retries:
        await ctx.reporter.event(app, **_completed(job, outcome))


async def _settle(ctx: Context, job: Job) -> None:
    """Gives objects that are nearly ready a moment, so that one status write tells the end of it."""
    deadline = ctx.world.clock.monotonic() + ctx.settings.settle
    while job.verdict().health == "Progressing":
        left = deadline - ctx.world.clock.monotonic()
        if left <= 0 or _terminating(ctx, job.app.name):
            return
        await _pause(ctx, job.app.name, left)


async def _wait_for(ctx: Context, job: Job, seconds: float, waiting: str) -> None:
    """Says what is waited for, with how everything looks by now; then waits."""
    await _tell(ctx, job, OperationState(**_state(job, Phase.RUNNING, waiting)))
    await _pause(ctx, job.app.name, seconds)


async def _pause(ctx: Context, name: str, seconds: float) -> None:
    """Waits for a change of the application, its pass's slot given to others meanwhile."""
    ctx.slots.release()
    try:
        await ctx.changed(name, seconds)
    finally:
        await ctx.slots.acquire()


def _ordered(results: tuple[ObjectResult, ...]) -> tuple[ObjectResult, ...]:
    """Prunes are told first, as Argo CD orders them, whenever they were done."""
    first = tuple(r for r in results if r.code in (ResultCode.PRUNED, ResultCode.PRUNE_SKIPPED))
    return first + tuple(r for r in results if r not in first)


def _completed(job: Job, outcome: Outcome) -> dict[str, str]:
    partial = "Partial sync" if job.running.operation.resources else "Sync"
    if outcome.phase is Phase.SUCCEEDED:
        text = f"{partial} operation to {job.wish.sha} succeeded"
        return {"kind": "Normal", "reason": "OperationCompleted", "message": text}
    text = f"{partial} operation to {job.wish.sha} failed: {outcome.message}"
    return {"kind": "Warning", "reason": "OperationCompleted", "message": text}


def _clock(seconds: float) -> str:
    """`3:04PM`, UTC."""
    minutes = int(seconds // 60) % 1440
    hour, minute = divmod(minutes, 60)
    return f"{(hour - 1) % 12 + 1}:{minute:02d}{'AM' if hour < 12 else 'PM'}"


def selected(plan: Plan, operation: Operation) -> Plan:
    """The part of the plan that an operation names; all of it where it names nothing."""
    if not operation.resources:
        return plan
    wanted = [
        change.ref
        for change in plan.changes
        for pick in operation.resources
        if (pick.group, pick.kind, pick.name) == (change.ref.group, change.ref.kind, change.ref.name)
        and pick.namespace in ("", change.ref.namespace)
    ]
    return plan.only(wanted)
