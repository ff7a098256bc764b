"""One operation, from its record's opening to its closing: status before, the walk, status after, retries."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from kilde.core.apply.outcome import ObjectResult, Outcome, Phase
from kilde.core.apply.words import clock_words
from kilde.core.apps.application import Application
from kilde.core.apps.operation import Operation
from kilde.core.apps.status import OperationState, Verdict, add_history, render_operation, render_status
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Change
from kilde.core.plan.options import refusal
from kilde.core.plan.planner import Plan
from kilde.core.source.revision import Revision
from kilde.engine.context import Context
from kilde.engine.deletion.keeping import keep_deleted
from kilde.engine.operation.agreed import plan_refusal
from kilde.engine.operation.carry_out import Hands, carry_out
from kilde.engine.operation.orders import RETRYING, Order, make_order, told_before
from kilde.engine.operation.pen import Pen
from kilde.engine.runtime import Running, Runtime, Wish
from kilde.engine.sources.wishes import owned_refs

log = structlog.get_logger()

_WAIT = 5.0  # seconds after which an operation looks again, whatever the watches say
_UNAVAILABLE = Backoff(first=2.0, factor=2.0, ceiling=30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one attempt works on.

    `verdict` tells how the application looks at any moment, for its status; `refresh` looks at Git anew, if somebody asked for that.
    """

    app: Application
    rt: Runtime
    wish: Wish
    plan: Plan
    revision: Revision | None
    running: Running
    verdict: Callable[[], Verdict]
    refresh: Callable[[], Awaitable[None]]


async def operate(ctx: Context, job: Job) -> float | None:
    """One attempt. Gives the seconds until the next one (None: the operation is over).

    Raises ClusterError where it is cut off; the next call takes it up: what was done is not done again, what could not be told is told.
    """
    running = job.running
    if running.ended is None:
        running.ended = await _refused(ctx, job) or await _attempt(ctx, job)
    outcome = running.ended
    if outcome.phase is not Phase.SUCCEEDED:
        told = {"phase": str(outcome.phase), "revision": job.wish.sha, "attempt": running.retries + 1}
        log.warning(
            "operation failed", application=job.app.name, **told
        )  # why is told in its status: it may name values
    delay = _retry_after(job, outcome, ctx.world.clock.dice())
    if delay is not None and not outcome.unavailable and (unread := running.operation.retry.unread):
        delay, outcome = (
            None,
            replace(outcome, phase=Phase.ERROR, message=f"{outcome.message} (failed to retry: {unread})"),
        )
    if delay is None:
        await _finish(ctx, job, outcome)
    else:
        await _try_again(ctx, job, outcome, delay)
    running.since = running.ended = None
    return delay


async def _refused(ctx: Context, job: Job) -> Outcome | None:
    """How an operation ends that may not begin."""
    if told := refusal(job.app.policy.options, job.verdict().conditions):
        return Outcome(Phase.FAILED, told)
    refused = ctx.projects.account_refusal(job.app)
    refused = refused or await plan_refusal(ctx, app=job.app, wish=job.wish, plan=job.plan, running=job.running)
    return Outcome(Phase.ERROR, refused) if refused else None


async def _attempt(ctx: Context, job: Job) -> Outcome:
    app, running = job.app, job.running
    cut_off, running.since = (
        running.since,
        running.since or ctx.now(),
    )  # whatever cuts this attempt off, it is taken up again
    order = _order(ctx, job, cut_off)
    hooks = [task.change for task in order.sync.tasks if task.hook is not None]
    if cut_off is None:
        running.earlier = _uids(ctx, hooks)
    taken = running.operation.sources
    number = ctx.accounts.opened(
        replace(app, sources=taken) if taken else app,
        asked_by=running.operation.asked_by,
        revision=job.revision,
        digest=job.wish.digest,
        changes=(*job.plan.changes, *hooks),
        attempt=running.retries,
        refs=(*job.wish.objects, *(ref for ref, _ in job.wish.hooks)),
        tracking=ctx.live.tracking,
        kustomize=ctx.renderer.kustomize,
        local=bool(running.operation.manifests),
        saved_plan=running.operation.plan,
        hooks_before=running.earlier if hooks else None,
    )
    running.number, running.retry_at = number, None
    job.rt.busy = True
    outcome = Outcome(Phase.ERROR, "interrupted")
    telling = ctx.start(f"tell of the operation of {app.name}", _tell_running(ctx, job, order))
    try:
        if order.hook_bodies and cut_off is None:
            await telling  # or a crash would make hooks that nobody knows to be of this operation
        outcome = await carry_out(order.sync, _hands(ctx, job, order, telling, cut_off))
    except asyncio.CancelledError:
        raise  # the program ends: the record stays open, and the next start takes the attempt up and closes it
    except BaseException:
        ctx.accounts.closed(number, app, outcome)
        raise
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        job.rt.busy = False
    ctx.accounts.closed(number, app, outcome)
    return outcome


def _uids(ctx: Context, hooks: Iterable[Change]) -> frozenset[str]:
    """The uids of those hooks that are there."""
    held = [ctx.live.get(change.ref) for change in hooks]
    return frozenset(str((one.body().get("metadata") or {}).get("uid", "")) for one in held if one is not None)


def _order(ctx: Context, job: Job, cut_off: float | None) -> Order:
    app = job.app
    wants = app.policy.options.is_on("CreateNamespace") and app.destination.namespace
    partial = bool(job.running.operation.resources)
    managed = bool(app.policy.namespace_labels or app.policy.namespace_annotations)
    there = ctx.live.exists(ObjectRef("", "Namespace", "", app.destination.namespace))
    needed = wants and (there is not True or (managed and not partial))
    in_git = ObjectRef("", "Namespace", "", app.destination.namespace) in job.wish.objects
    return make_order(
        app,
        job.wish,
        job.plan,
        job.running,
        create_namespace=app.destination.namespace if needed and not in_git else "",
        before=() if cut_off is None else told_before(app),
    )


def _hands(ctx: Context, job: Job, order: Order, telling: asyncio.Task[None], cut_off: float | None) -> Hands:
    app = job.app

    def body(ref: ObjectRef) -> dict[str, Any]:
        hook = order.hook_bodies.get(ref)
        return hook if hook is not None else job.wish.objects[ref].unpack(ref).manifest.body

    async def tell(message: str, results: tuple[ObjectResult, ...]) -> None:
        telling.cancel()
        await _tell(ctx, job, OperationState(**_state(job, Phase.RUNNING, message), results=results, has_result=True))

    async def watch(refs: Sequence[ObjectRef]) -> None:
        if any(ctx.live.exists(ref) is None for ref in refs):
            rest = {*job.wish.objects, *(ref for ref, _ in job.wish.hooks), *owned_refs(app)}
            await ctx.watch_all(app.name, {*refs, *rest}, await ctx.world.cluster.discovery())
            await ctx.live.load(refs)

    async def wait(message: str, results: tuple[ObjectResult, ...]) -> None:
        signal = ctx.signal(app.name)  # from before the writing: what comes meanwhile is not missed
        await tell(message, results)
        await job.refresh()
        await _pause(ctx, signal, _WAIT)

    return Hands(
        pen=Pen(
            cluster=ctx.writer(app),
            live=ctx.live,
            clock=ctx.world.clock,
            manager=ctx.settings.manager,
            policy=app.policy,
            body=body,
            node=lambda ref, version: ctx.schemas.node(ref.group, version, ref.kind),
            force=job.running.operation.force,
            ignore=(*ctx.surveyor.customizations.ignore, *app.ignore),
            assess=ctx.surveyor.assess,
        ),
        parallel=ctx.settings.parallel_writes,
        tell=tell,
        wait=wait,
        pause=lambda: _rest(ctx),
        confirmed=lambda: _confirmed(ctx, app.name, job.running.started_at),
        stopped=lambda: _terminating(ctx, app.name),
        allowed=lambda: ctx.projects.may_sync(
            app, manual=not job.running.operation.automated, begun=job.running.started_at
        ),
        broken=lambda: _broken(ctx, job),
        refuses=lambda ref, resource: ctx.projects.forbids(app, ref, namespaced=resource.namespaced),
        since=cut_off,
        earlier=job.running.earlier,
        keep=lambda changes: keep_deleted(ctx, app, job.running.number, changes),
        watch=watch,
    )


def _broken(ctx: Context, job: Job) -> str:
    """Why nothing can be synced with what is wanted or there; "" where it can.

    What the status tells of the branch counts, too: to Argo CD it is another condition than the same of what is synced, told twice then.
    """
    survey = ctx.surveyor.survey(job.app, job.rt, prune=job.running.operation.prune)
    unfit = [("InvalidSpecError", text) for text in ctx.projects.refusals(ctx.fleet.get(job.app.name) or job.app)]
    told = wish.faults if (wish := ctx.runtime(job.app.name).wish) is not None else []
    return ";".join(f"{kind}: {text}" for kind, text in sorted((*unfit, *told, *job.wish.faults, *survey.conditions)))


def _confirmed(ctx: Context, name: str, since: float) -> bool:
    app = ctx.fleet.get(name)
    return app is not None and app.approved_since(since)


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
        "revisions": job.wish.revisions,
        "sources": running.operation.sources or None,
    }


async def _tell_running(ctx: Context, job: Job, order: Order) -> None:
    """Says that an operation runs: at once when somebody asked for it or it has waves or hooks, else if it takes its time."""
    steps = {task.step for task in order.sync.tasks if task.hook is not None or task.change.differs}
    if job.running.operation.automated and len(steps) < 2 and not order.hook_bodies and not job.running.retries:
        await ctx.world.clock.sleep(ctx.settings.tell_after)
    try:
        await _tell(ctx, job, OperationState(**_state(job, Phase.RUNNING, job.running.message)))
    except ClusterError as error:  # a task's fault would end the program; whatever comes next meets the same
        log.warning("not told that an operation runs", application=job.app.name, error=str(error))


async def _tell(ctx: Context, job: Job, state: OperationState) -> None:
    """Says how far a running operation is; one that nobody asked for is on the Application, too, so that it can be seen and ended there."""
    verdict = job.verdict()

    def build(app: Application) -> dict[str, Any]:
        status = render_status(app, verdict, now=ctx.now(), automated=job.running.operation.automated)
        return {**status, "operationState": render_operation(state, app)}

    await ctx.reporter.write(job.app.name, build, begins=job.running.operation.asked)


def _retry_after(job: Job, outcome: Outcome, dice: float) -> float | None:
    running, retry = job.running, job.running.operation.retry
    if outcome.phase not in (Phase.FAILED, Phase.ERROR) or outcome.message == "Operation terminated":
        return None
    if outcome.unavailable and running.operation.automated:
        return _UNAVAILABLE.delay(running.retries + 1, dice=dice)
    if 0 <= retry.limit <= running.retries:
        return None
    return retry.delay(running.retries)


async def _try_again(ctx: Context, job: Job, outcome: Outcome, delay: float) -> None:
    running, number = job.running, job.running.retries + 1
    state = OperationState(
        **{
            **_state(job, Phase.RUNNING, f"{outcome.message}{RETRYING}{number} at {clock_words(ctx.now() + delay)}."),
            "retries": number,
            "finished_at": ctx.now(),
            "results": outcome.results,
            "has_result": running.looks,
        }
    )
    await _tell(ctx, job, state)
    refreshes = running.operation.retry.refresh
    if refreshes:
        running.operation = running.operation.at_latest()
    how = " with latest revisions" if refreshes else ""
    running.message = f"Retrying operation{how}. Attempt #{number}"
    running.retries, running.retry_at = number, ctx.world.clock.monotonic() + delay


async def _finish(ctx: Context, job: Job, outcome: Outcome) -> None:
    app, running, operation = job.app, job.running, job.running.operation
    if any(change.over for change in job.plan.changes) and not operation.dry_run:
        release = f"kilde app approve {app.name} --plan {ctx.runtime(app.name).held}"
        outcome = replace(outcome, message=f"{outcome.message}; deletions are held: {release}")
    if running.retries and outcome.phase is not Phase.SUCCEEDED:
        outcome = replace(outcome, message=f"{outcome.message} (retried {running.retries} times).")
    await _settle(ctx, job)
    if not running.heal:
        ctx.runtime(app.name).heal_count = 0
    ended = ctx.now()
    state = OperationState(
        **{
            **_state(job, outcome.phase, outcome.message),
            "finished_at": ended,
            "results": outcome.results,
            "has_result": running.looks,
        }
    )
    deployed = outcome.phase is Phase.SUCCEEDED and not operation.dry_run and not operation.resources
    verdict = job.verdict()

    def build(now_app: Application) -> dict[str, Any]:
        status = render_status(now_app, verdict, now=ctx.now(), automated=operation.automated)
        status["operationState"] = render_operation(state, now_app)
        if deployed:
            status["history"] = add_history(
                now_app.status.get("history") or (),
                now_app,
                revisions=job.wish.revisions,
                sources=operation.sources or None,
                started=running.started_at,
                ended=ended,
                by=dict(operation.raw.get("initiatedBy") or {}),
            )
        return status

    await ctx.reporter.write(app.name, build, ends=operation.asked)
    if not operation.automated or outcome.phase is not Phase.SUCCEEDED or running.retries:
        await ctx.reporter.event(app, **_completed(job, outcome))


async def _settle(ctx: Context, job: Job) -> None:
    """Gives objects that are nearly ready a moment, so that one status write tells the end of it."""
    deadline = ctx.world.clock.monotonic() + ctx.settings.settle
    while job.verdict().health == "Progressing":
        left = deadline - ctx.world.clock.monotonic()
        if left <= 0 or _terminating(ctx, job.app.name):
            return
        await _pause(ctx, ctx.signal(job.app.name), left)


async def _rest(ctx: Context) -> None:
    """The pause between two waves."""
    async with ctx.without_slot():
        await ctx.world.clock.sleep(ctx.settings.wave_delay)


async def _pause(ctx: Context, signal: asyncio.Event, seconds: float) -> None:
    """Waits for a change of the application."""
    with contextlib.suppress(TimeoutError):
        async with ctx.without_slot(), asyncio.timeout(seconds):
            await signal.wait()


def _completed(job: Job, outcome: Outcome) -> dict[str, str]:
    partial = "Partial sync" if job.running.operation.resources else "Sync"
    if outcome.phase is Phase.SUCCEEDED:
        text = f"{partial} operation to {job.wish.sha} succeeded"
        return {"kind": "Normal", "reason": "OperationCompleted", "message": text}
    text = f"{partial} operation to {job.wish.sha} failed: {outcome.message}"
    return {"kind": "Warning", "reason": "OperationCompleted", "message": text}


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
