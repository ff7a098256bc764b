"""Quarantine at work: puts commits into it, keeps the application where it was, and ends it when a better commit or a person comes."""

from dataclasses import replace

import structlog

from kilde.core.apps.application import Application
from kilde.core.apps.operation import Operation
from kilde.core.apps.quarantine import ANNOTATION, CONDITION, Quarantine, fault_of, quarantine_of, unreadable, way_back
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.plan.change import Action
from kilde.engine.context import Context
from kilde.engine.runtime import Runtime, Wish
from kilde.engine.sources.wishes import Wishes
from kilde.engine.view.survey import Survey

log = structlog.get_logger()

_LONGEST = 500  # characters of a reason


async def wished(ctx: Context, wishes: Wishes, app: Application, rt: Runtime, *, fresh: bool, hard: bool) -> Wish:
    """What the application is to be: what Git wants, or what it is kept at while that is in quarantine. Raises KildeError."""
    good, head = rt.wish, rt.head
    if head is not None:
        rt.wish, rt.head = head, None  # what Git wants is worked out from what it wanted before
    try:
        wish = await wishes.current(app, rt, fresh=fresh, hard=hard)
    except BaseException:
        if head is not None:
            rt.wish, rt.head = good, rt.wish  # while it cannot be told, the application is kept where it is
        raise
    return await _kept_at(ctx, wishes, app, rt, wish)


async def _kept_at(ctx: Context, wishes: Wishes, app: Application, rt: Runtime, wish: Wish) -> Wish:
    """What cannot be fetched leaves the application as it is; the quarantine holds all the same."""
    rt.head = rt.quarantine = None
    found = quarantine_of(app)
    if found is None:
        return wish
    if not found.covers(wish.sha, wish.digest):
        await _lift(ctx, app, found, by="automated", why=f"Git has {wish.sha} by now")
        return wish
    if _is_persons_word(app.operation):
        assert app.operation is not None
        await _lift(ctx, app, found, by=app.operation.asked_by, why="a sync of it was asked for")
        return wish
    rt.quarantine = found
    if not found.rendered and found.by != "automated":  # somebody wrote it
        text = found.sentence(app.name)
        ctx.accounts.noted(app, cause="quarantine", asked_by=found.by, phase="Quarantined", message=text)
        await ctx.reporter.annotate(app.name, {ANNOTATION: replace(found, rendered=wish.digest).written()})
    if not found.to:
        return wish
    if rt.good is None or rt.good[0] != (found.to, app.sources):
        try:
            good = await wishes.at(app, rt, Operation(revisions=found.to))
        except KildeError as error:
            if isinstance(error, ClusterError):
                raise
            log.warning("the way back cannot be rendered", application=app.name, error=str(error))
            rt.quarantine = replace(found, to=(), reason=f"{found.reason}; the way back cannot be rendered: {error}")
            return wish
        rt.good = (found.to, app.sources), good
    await wishes.watch(app, rt.good[1])
    rt.head, rt.wish = wish, rt.good[1]
    return rt.good[1]


def _is_persons_word(operation: Operation | None) -> bool:
    """Whether a person has asked for a whole sync to whatever Git has."""
    if operation is None or operation.automated or operation.problem or operation.dry_run:
        return False
    return not (operation.revisions or operation.sources or operation.manifests or operation.resources)


async def _lift(ctx: Context, app: Application, found: Quarantine, *, by: str, why: str) -> None:
    ctx.accounts.noted(
        app,
        cause="quarantine lifted",
        asked_by=by,
        phase="Succeeded",
        message=f"of {', '.join(found.revisions)}: {why}",
    )
    await ctx.reporter.annotate(app.name, {ANNOTATION: None})
    log.info("quarantine lifted", application=app.name, reason=why)


async def judge_revision(ctx: Context, app: Application, rt: Runtime, wish: Wish, survey: Survey) -> bool:
    """Puts what was deployed last into quarantine if it failed or did harm. True: it did just now, and all is to be looked at anew."""
    if rt.running is not None or app.operation is not None or ANNOTATION in app.annotations:
        return False
    if ctx.window(app.name) is not None:
        return False  # people are at work: what is unwell now is no commit's fault
    mode = ctx.settings.on_degraded
    drifted = survey.plan.of(Action.CREATE, Action.UPDATE)  # then the harm may be somebody else's, and is undone first
    health = "" if drifted else survey.health
    reason = fault_of(app, wish.sha, health, now=ctx.now(), mode=mode)[:_LONGEST]
    if not reason:
        return False
    to = way_back(app, wish.sha, mode=mode)
    harmful = bool(to) or health == "Degraded"  # what merely failed is tried again at another commit, as in Argo CD
    found = Quarantine(revisions=wish.revisions, reason=reason, to=to, rendered=wish.digest if harmful else "")
    text = found.sentence(app.name)
    ctx.accounts.noted(app, cause="quarantine", asked_by="automated", phase="Quarantined", message=text)
    await ctx.reporter.annotate(app.name, {ANNOTATION: found.written()})
    await ctx.reporter.event(app, kind="Warning", reason="Quarantined", message=text)
    log.warning("quarantined", application=app.name, revision=wish.sha, reason=reason)
    return True


def conditions(app: Application, rt: Runtime) -> list[tuple[str, str]]:
    """What the status tells of it."""
    problem = unreadable(app)
    found = [(CONDITION, problem)] if problem else []
    return [*found, (CONDITION, rt.quarantine.sentence(app.name))] if rt.quarantine is not None else found
