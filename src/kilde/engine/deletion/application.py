"""Deletion of an application: with the finalizer its objects go first, last wave first, each wave gone before the next.

Works without the repository, unless there are hooks to run: what is deleted is what carries the application's tracking id.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apps.application import FINALIZER, Application
from kilde.core.apps.clusters import NOWHERE, UNTOLD
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Change
from kilde.core.plan.hooks import SyncPhase
from kilde.core.plan.masking import redacted
from kilde.core.plan.order import wave_of
from kilde.core.plan.planner import asks_first, judge_extra
from kilde.core.plan.policy import Options, object_options
from kilde.engine.context import Context
from kilde.engine.deletion.hooks import CLEANUP, FINALIZERS, named_hooks, run_hooks, tidy_up
from kilde.engine.deletion.keeping import keep_deleted
from kilde.engine.requests import persist
from kilde.engine.runtime import Runtime, Wish
from kilde.engine.sources.wishes import owned_refs
from kilde.ports.cluster import Cluster, Propagation

log = structlog.get_logger()


Wished = Callable[[], Awaitable[Wish]]


async def delete_application(ctx: Context, app: Application, rt: Runtime, wished: Wished) -> float | None:
    """One pass over an application that is being deleted. Gives the seconds until the next (None: it is done).

    `wished` gives what Git wants; it is asked only where there are hooks to run, and no earlier answer is known or one of them failed.
    """
    try:
        return await _step(ctx, app, rt, wished)
    except ClusterError:
        raise
    except KildeError as error:
        await _tell_failure(ctx, app, error)
        return ctx.settings.deletion_poll


async def _step(ctx: Context, app: Application, rt: Runtime, wished: Wished) -> float | None:
    """The first thing that is left to do: hooks before, objects, hooks after, hooks to tidy up."""
    before, after = SyncPhase.PRE_DELETE, SyncPhase.POST_DELETE
    if app.destination.cluster == UNTOLD:
        raise ClusterError("; ".join(app.problems), about=str(app))
    if app.destination.cluster == NOWHERE:
        await _let_go(ctx, app)
        return None
    if ctx.projects.of(app) is None:
        name = app.project
        raise KildeError(f'error getting app project "{name}": appproject.argoproj.io "{name}" not found')
    if FINALIZERS[before] in app.finalizers:
        return await _stage(
            ctx, app, FINALIZERS[before], await run_hooks(ctx, app, rt, await _wanted(rt, wished), before)
        )
    if app.cascade:
        return await _cascade(ctx, app, rt)
    if FINALIZERS[after] in app.finalizers:
        return await _stage(
            ctx, app, FINALIZERS[after], await run_hooks(ctx, app, rt, await _wanted(rt, wished), after)
        )
    for phase in (before, after):
        if CLEANUP[phase] in app.finalizers:
            await _watch(ctx, app, rt, await _hook_refs(rt, wished))
            return await _stage(ctx, app, CLEANUP[phase], await tidy_up(ctx, app, phase))
    return None


async def _wanted(rt: Runtime, wished: Wished) -> Wish:
    """What Git wants, as it was seen last; once a hook has failed, as it is by now, for a commit may have mended it."""
    if rt.wish is not None and not rt.hook_failures:
        return rt.wish
    try:
        return await wished()
    except KildeError as error:
        if rt.wish is None or isinstance(error, ClusterError):
            raise
        return rt.wish


async def _let_go(ctx: Context, app: Application) -> None:
    """There is no such cluster: its objects stay where they may be, as Argo CD leaves them."""
    ours = (FINALIZER, *FINALIZERS.values(), *CLEANUP.values())
    await ctx.reporter.finalize(app, [name for name in app.finalizers if not name.startswith(ours)])
    log.warning("application deleted, its objects left: there is no such cluster", application=app.name)


async def _stage(ctx: Context, app: Application, finalizer: str, done: bool) -> float:
    """Takes the finalizer off once its work is done; the change of the application brings the next step."""
    if done:
        await ctx.reporter.finalize(app, [name for name in app.finalizers if name != finalizer])
    return ctx.settings.deletion_poll


async def _tell_failure(ctx: Context, app: Application, error: KildeError) -> None:
    """A condition and an event, once for each wording."""
    told = [each for each in app.status.get("conditions") or () if each.get("type") == "DeletionError"]
    if any(each.get("message") == str(error) for each in told):
        return

    def build(newest: Application) -> dict[str, Any]:
        others = [each for each in newest.status.get("conditions") or () if each.get("type") != "DeletionError"]
        found = {"type": "DeletionError", "message": str(error), "lastTransitionTime": rfc3339(ctx.now())}
        return {**newest.status, "conditions": [*others, found]}

    await ctx.reporter.write(app.name, build)
    text = f"Unable to delete application resources: {error}"
    await ctx.reporter.event(app, kind="Warning", reason="StatusRefreshed", message=text)


async def _hook_refs(rt: Runtime, wished: Wished) -> list[ObjectRef]:
    """The hooks that Git has, so that those are seen that an earlier process made; none where Git cannot be asked."""
    try:
        wish = rt.wish or await wished()
    except ClusterError:
        raise
    except KildeError:
        return []
    return [ref for ref, _ in wish.hooks]


async def _watch(ctx: Context, app: Application, rt: Runtime, hooks: Iterable[ObjectRef] = ()) -> None:
    discovery = await ctx.world.cluster.discovery()
    await ctx.watch_all(app.name, {*owned_refs(app), *rt.held_refs, *ctx.may_own(app), *hooks}, discovery)


async def _cascade(ctx: Context, app: Application, rt: Runtime) -> float | None:
    ctx.projects.kinds.check()
    await _watch(ctx, app, rt)
    going = _going(ctx, app)
    if not going:
        left = [name for name in app.finalizers if not name.startswith(FINALIZER)]
        await ctx.reporter.finalize(app, left)
        log.info("application deleted with its objects", application=app.name)
        return ctx.settings.deletion_poll if left else None
    if any(_asks(body, app) for body in going.values()) and not app.approved_since(app.deleted_at or 0.0):
        return None  # nothing goes before a person has confirmed it; the annotation brings us back
    last = max(_wave(body) for body in going.values())
    wave = {ref: body for ref, body in going.items() if _wave(body) == last}
    fresh = {ref: body for ref, body in wave.items() if _uid(body) not in rt.deleted and not _is_going(body)}
    if fresh and await _delete(ctx, app, fresh):  # else it is tried again
        rt.deleted.update(_uid(body) for body in fresh.values())
    return ctx.settings.deletion_poll


def _uid(body: Object) -> str:
    return str((body.get("metadata") or {}).get("uid", ""))


def _is_going(body: Object) -> bool:
    return bool((body.get("metadata") or {}).get("deletionTimestamp"))


def _wave(body: Object) -> int:
    return wave_of((body.get("metadata") or {}).get("annotations") or {})


def _going(ctx: Context, app: Application) -> dict[ObjectRef, Object]:
    """What is to go: not what its project does not permit, which it may never have made."""
    out = {}
    for ref in (*ctx.live.tracked_by(app.name), *named_hooks(ctx, app)):
        held = ctx.live.get(ref)
        body = held.body() if held else None
        if body is None or _kept(body, app) or ctx.projects.excludes(app, ref):
            continue
        if not ctx.projects.forbids(app, ref, namespaced=bool(ref.namespace)):
            out[ref] = body
    return out


def _asks(body: Object, app: Application) -> bool:
    return asks_first(object_options((body.get("metadata") or {}).get("annotations") or {}), app.policy.options)


def _kept(body: Object, app: Application) -> bool:
    """What a deletion leaves alone: what says so, the application itself, and CRDs, with which every object of their kind would go."""
    meta = body.get("metadata") or {}
    annotations = meta.get("annotations") or {}
    if str(body.get("apiVersion", "")).startswith("apiextensions.k8s.io/"):
        return True
    if body.get("kind") == "Application" and (meta.get("namespace"), meta.get("name")) == (app.namespace, app.own_name):
        return True
    deleted = object_options(annotations).get("Delete") or app.policy.options.get("Delete")
    return deleted == "false" or annotations.get("helm.sh/resource-policy") == "keep"


async def _delete(ctx: Context, app: Application, bodies: dict[ObjectRef, Object]) -> bool:
    """Deletes all of them; whether none was refused."""
    changes = [judge_extra(ref, body, prune=True, options=Options()) for ref, body in sorted(bodies.items())]
    writer = ctx.writer(app, demanded=False)
    number = ctx.accounts.opened(
        app, cause="application deleted", asked_by="unknown", revision=None, digest="", changes=changes
    )
    try:
        keep_deleted(ctx, app, number, changes)
    except KildeError as error:
        ctx.accounts.closed(number, app, Outcome(Phase.FAILED, f"not deleted: {error}", ()))
        raise
    results: list[ObjectResult] = []
    phase, message = Phase.SUCCEEDED, "deleted with the application"
    for change in changes:
        result = await _delete_one(ctx, app, change, writer)
        results.append(result)
        if result.code is ResultCode.FAILED:
            phase, message = Phase.FAILED, result.message
    ctx.accounts.closed(number, app, Outcome(phase, message, tuple(results)))
    if phase is Phase.FAILED:
        await ctx.reporter.event(
            app, kind="Warning", reason="StatusRefreshed", message=f"Unable to delete application resources: {message}"
        )
    return phase is Phase.SUCCEEDED


async def _delete_one(ctx: Context, app: Application, change: Change, writer: Cluster) -> ObjectResult:
    ref = change.ref
    way: Propagation = "Background" if app.cascade == "Background" else "Foreground"
    discovery = await ctx.world.cluster.discovery()
    resource = discovery.resource(ref.group, ref.kind)
    code, message = ResultCode.PRUNED, "deleted"
    try:
        if resource is not None:
            there = await persist(
                lambda: writer.delete(resource, ref.namespace, ref.name, propagation=way), ctx.world.clock
            )
            if not there:
                ctx.live.observe(ref, None)
    except ClusterError as error:
        held = ctx.live.get(ref)
        code, message = ResultCode.FAILED, redacted(error.what, held.body() if held else None)
    return ObjectResult(
        ref=ref, version=change.version, code=code, message=message, verb="delete", before=change.live_version
    )
