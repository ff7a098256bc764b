"""Which operation an application wants now: the one that runs or was cut off, one that is asked for, or an automated one."""

from kilde.core.apps.application import Application
from kilde.core.apps.decide import automatic
from kilde.core.apps.operation import read_operation
from kilde.core.basics.moment import parse
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action
from kilde.core.plan.planner import Plan
from kilde.engine.context import Context
from kilde.engine.operation.automated import automated_operation, begun_for, named_out_of_step, unrivalled
from kilde.engine.operation.orders import left_over
from kilde.engine.runtime import Running, Runtime, Wish
from kilde.engine.view.survey import Survey


def wanted_operation(
    ctx: Context, app: Application, rt: Runtime, survey: Survey, wish: Wish
) -> tuple[Running | None, tuple[str, str] | None]:
    """The operation, or the condition that tells why none begins though objects are out of sync."""
    if (asked := asked_for(ctx, app, rt)) is not None:
        return asked, None
    if ctx.window(app.name) is not None or app.uncomparable:
        return None, None  # people are at work: nothing is done by itself
    allowed = begun_for(ctx, app, survey.plan)
    wipes_out = not wish.objects and bool(survey.extras)
    approved = ctx.deletion_budgets.is_approved(app, rt, wish, allowed)
    untold = _has_untold(ctx, app)
    decision = automatic(app, allowed, revision=wish.sha, wipes_out=wipes_out, approved=approved, untold=untold)
    if decision.condition is not None and not ctx.projects.may_sync(app, manual=False):
        return None, _told(app, decision.condition[0])
    if not decision.sync or (rt.quarantine is not None and not rt.quarantine.to):
        return None, decision.condition
    heals = decision.heal and not ctx.projects.account_refusal(app)
    healing = _left_to_heal(ctx, app, rt, allowed) if heals else allowed
    if heals and not healing.changes:
        return None, None
    if decision.heal:
        rt.heal_count += 1
        resources = named_out_of_step((), healing.changes)
        block = automated_operation(app, wish.revisions, resources=resources, tries=rt.heal_count)
    else:
        block = automated_operation(app, wish.revisions)
    return Running(read_operation(block), heal=decision.heal, started_at=ctx.now(), number=0), None


def _told(app: Application, kind: str) -> tuple[str, str] | None:
    """The condition of that kind as it stands: while a sync window is in the way nobody looks whether it still holds."""
    standing = (one for one in app.status.get("conditions") or () if one.get("type") == kind)
    return next(((kind, str(one.get("message", ""))) for one in standing), None)


def _has_untold(ctx: Context, app: Application) -> bool:
    """Whether an earlier process was killed before the status told of an operation; one that was asked for, or is long, is told first."""
    began = ctx.began.get(app.name)
    if began is None:
        return False
    ended = parse(str((app.status.get("operationState") or {}).get("finishedAt")))
    if ended is not None and ended >= int(began):
        return False
    made = parse(str(ctx.fleet.raw(app.name)["metadata"].get("creationTimestamp")))
    return made is None or made <= began  # else it was of another application of that name


def asked_for(ctx: Context, app: Application, rt: Runtime) -> Running | None:
    """The operation that runs, was cut off, or that somebody asks for."""
    running = rt.running or left_over(ctx, app)
    if running is None and app.operation is not None:
        running = Running(app.operation, heal=False, started_at=ctx.now(), number=0)
    return running


def _left_to_heal(ctx: Context, app: Application, rt: Runtime, plan: Plan) -> Plan:
    """Hands what one apply mends to the healer; the rest (prunes, or all when the namespace is gone or it fails) is a sync's."""
    space = ObjectRef("", "Namespace", "", app.destination.namespace)
    gone = app.policy.options.is_on("CreateNamespace") and ctx.live.exists(space) is False
    writes = plan.of(Action.CREATE, Action.UPDATE)
    fails = any(change.fault for change in plan.changes) or any(change.ref in rt.refused for change in writes)
    if gone or fails or unrivalled(ctx, app, plan) != plan:
        return plan
    for change in writes:
        ctx.heal(app.name, change.ref)
    return Plan(changes=plan.of(Action.PRUNE))
