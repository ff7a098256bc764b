"""Hooks around the deletion of an application: PreDelete before its objects go, PostDelete after them, and their tidying up.

Argo CD's way (3.3, controller/hook.go): while Git has such hooks the Application carries two finalizers for each phase, put there at the
comparison, so that a deletion waits. A hook that fails is deleted and made anew, more slowly each time; meanwhile the deletion waits, and
says so.
"""

from collections.abc import Awaitable, Callable, Mapping

from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apps.application import Application
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.values import Object
from kilde.core.health.health import HealthStatus
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.hook_policies import Moment
from kilde.core.plan.hooks import SyncPhase, hook_spec, is_hook
from kilde.core.plan.masking import redacted
from kilde.engine.context import Context
from kilde.engine.operation.orders import named_hook
from kilde.engine.requests import persist, resource_of
from kilde.engine.runtime import Runtime, Wish
from kilde.engine.sources.wishes import owned_refs
from kilde.ports.cluster import Cluster

FINALIZERS = {
    SyncPhase.PRE_DELETE: "pre-delete-finalizer.argocd.argoproj.io",
    SyncPhase.POST_DELETE: "post-delete-finalizer.argocd.argoproj.io",
}
_AGAIN = Backoff(first=2.0, factor=2.0, ceiling=60.0)
CLEANUP = {phase: f"{name}/cleanup" for phase, name in FINALIZERS.items()}


async def await_hooks(ctx: Context, app: Application, wish: Wish) -> None:
    """Sees to it that a deletion waits for the hooks that Git has now, and for none that it had: before anything is told of the commit."""
    ours = {*FINALIZERS.values(), *CLEANUP.values()}
    wanted = [
        name for phase in FINALIZERS if phase in wish.delete_phases for name in (FINALIZERS[phase], CLEANUP[phase])
    ]
    if set(wanted) != ours.intersection(app.finalizers):
        await ctx.reporter.finalize(app, [*(name for name in app.finalizers if name not in ours), *wanted])


async def run_hooks(ctx: Context, app: Application, rt: Runtime, wish: Wish, phase: SyncPhase) -> bool:
    """Makes the hooks of a phase that are not there; whether all of them are over and well. KildeError names those that failed."""
    wanted = dict(_hooks_of(app, wish, phase))
    await ctx.watch_all(app.name, {*wanted, *wish.objects, *owned_refs(app)}, await ctx.world.cluster.discovery())
    await ctx.live.load(ref for ref in wanted if ctx.live.get(ref) is None)
    missing = [ref for ref in wanted if ctx.live.exists(ref) is not True]
    if missing and ctx.world.clock.monotonic() < rt.hooks_again:
        return False
    if missing:
        await _write(
            ctx,
            app,
            f"{phase} hooks",
            dict.fromkeys(missing, Action.CREATE),
            lambda ref, writer: _create(ctx, writer, ref, wanted[ref]),
        )
        return False
    bodies = {ref: held.body() for ref in wanted if (held := ctx.live.get(ref)) is not None}
    states = {ref: health.status for ref, body in bodies.items() if (health := ctx.surveyor.assess(body)) is not None}
    failed = {ref for ref, status in states.items() if status is HealthStatus.DEGRADED}
    if failed:
        gone = {ref: Action.PRUNE for ref in failed if not _is_going(bodies[ref])}
        if gone:
            rt.hook_failures += 1
            rt.hooks_again = ctx.world.clock.monotonic() + _AGAIN.delay(rt.hook_failures)
            await _write(
                ctx, app, f"{phase} hooks that failed", gone, lambda ref, writer: _delete(ctx, writer, ref, bodies[ref])
            )
        names = ", ".join(sorted(f"{ref.namespace}/{ref.name}" for ref in failed))
        name = "pre-delete" if phase is SyncPhase.PRE_DELETE else "post-delete"
        raise KildeError(f"error executing {name} hooks: {phase} hook(s) failed: {names}")
    return len(bodies) == len(wanted) and HealthStatus.PROGRESSING not in states.values()


async def tidy_up(ctx: Context, app: Application, phase: SyncPhase) -> bool:
    """Deletes the hooks of a phase whose policy says so; whether none of those is left."""
    hooks = {}
    for ref in (*ctx.live.tracked_by(app.name), *named_hooks(ctx, app)):
        held = ctx.live.get(ref)
        body = held.body() if held else None
        if body is not None and phase in hook_spec(_annotations(body)).phases:
            hooks[ref] = body
    ill = any(
        (health := ctx.surveyor.assess(body)) and health.status is HealthStatus.DEGRADED for body in hooks.values()
    )
    moment = Moment.SYNC_FAILED if ill else Moment.SYNC_SUCCEEDED
    left = {ref: body for ref, body in hooks.items() if hook_spec(_annotations(body)).deleted_at(moment)}
    going = {ref: Action.PRUNE for ref, body in left.items() if not _is_going(body)}
    if going:
        await _write(
            ctx, app, f"{phase} hooks that are over", going, lambda ref, writer: _delete(ctx, writer, ref, left[ref])
        )
    return not left


def named_hooks(ctx: Context, app: Application) -> list[ObjectRef]:
    """Hooks that got their names when they were made: their tracking ids name nothing."""
    found = []
    for ref in ctx.live.copies_of(app.name):
        held = ctx.live.get(ref)
        body = held.body() if held else {}
        if is_hook(_annotations(body)) and (body.get("metadata") or {}).get("generateName"):
            found.append(ref)
    return found


def _hooks_of(app: Application, wish: Wish, phase: SyncPhase) -> list[tuple[ObjectRef, Object]]:
    found = []
    for ref, packed in wish.hooks:
        body = packed.unpack(ref).manifest.body
        if phase in hook_spec(_annotations(body)).phases:
            found.append(named_hook(ref, body, phase, wish.sha, app.deleted_at or 0.0))
    return found


def _annotations(body: Object) -> dict[str, str]:
    return (body.get("metadata") or {}).get("annotations") or {}


def _is_going(body: Object) -> bool:
    return bool((body.get("metadata") or {}).get("deletionTimestamp"))


async def _write(
    ctx: Context,
    app: Application,
    cause: str,
    actions: Mapping[ObjectRef, Action],
    write: Callable[[ObjectRef, Cluster], Awaitable[ObjectResult]],
) -> None:
    """Writes some objects, recorded as one operation. Raises KildeError where one was refused."""
    changes = [Change(ref=ref, action=action, why=cause, version="") for ref, action in sorted(actions.items())]
    writer = ctx.writer(app, demanded=False)
    number = ctx.accounts.opened(app, cause=cause, asked_by="unknown", revision=None, digest="", changes=changes)
    results = [await write(change.ref, writer) for change in changes]
    refused = [result for result in results if result.code is ResultCode.FAILED]
    phase, message = (Phase.FAILED, refused[0].message) if refused else (Phase.SUCCEEDED, cause)
    ctx.accounts.closed(number, app, Outcome(phase, message, tuple(results)))
    if refused:
        raise KildeError(message, about=str(refused[0].ref))


async def _create(ctx: Context, writer: Cluster, ref: ObjectRef, body: Object) -> ObjectResult:
    try:
        resource = await resource_of(ctx.world.cluster, ref, _version(body))
        made = await persist(lambda: writer.create(resource, body, manager=ctx.settings.manager), ctx.world.clock)
    except ClusterError as error:
        if error.status == 409:  # it is there, and the watch has yet to tell
            return _result(ref, ResultCode.SYNCED, "already there", "create")
        return _result(ref, ResultCode.FAILED, redacted(error.what, body), "create")
    ctx.live.observe(ref, made.raw)
    return _result(ref, ResultCode.SYNCED, "created", "create")


async def _delete(ctx: Context, writer: Cluster, ref: ObjectRef, body: Object) -> ObjectResult:
    try:
        resource = await resource_of(ctx.world.cluster, ref, _version(body))
        there = await persist(
            lambda: writer.delete(resource, ref.namespace, ref.name, propagation="Background"),
            ctx.world.clock,
        )
    except ClusterError as error:
        return _result(ref, ResultCode.FAILED, redacted(error.what, body), "delete")
    if not there:
        ctx.live.observe(ref, None)
    return _result(ref, ResultCode.PRUNED, "deleted", "delete")


def _result(ref: ObjectRef, code: ResultCode, message: str, verb: str) -> ObjectResult:
    return ObjectResult(ref=ref, version="", code=code, message=message, verb=verb)


def _version(body: Object) -> str:
    return str(body.get("apiVersion") or "").rpartition("/")[2]
