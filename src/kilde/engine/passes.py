"""One pass over one application: source → render → plan → apply → health → ledger. The order of the stages is written here.

A pass starts from what is, may be cut off between any two lines, and the next one goes on from the cluster.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from kilde.core.apply.outcome import Outcome, Phase
from kilde.core.apply.words import blocked_words
from kilde.core.apps.application import Application
from kilde.core.apps.conditions import unusable_words
from kilde.core.apps.operation import Operation
from kilde.core.apps.status import Verdict
from kilde.core.basics.errors import ClusterError, KildeError, LedgerError, SourceError
from kilde.core.plan.planner import Plan
from kilde.engine.context import Context
from kilde.engine.deletion.application import delete_application
from kilde.engine.deletion.hooks import await_hooks
from kilde.engine.failures import Failures
from kilde.engine.heal import outdated_heals
from kilde.engine.operation import blocked
from kilde.engine.operation.automated import unrivalled
from kilde.engine.operation.dependencies import ClusterOf, Dependencies
from kilde.engine.operation.operate import Job, operate, selected
from kilde.engine.operation.wanted import asked_for, wanted_operation
from kilde.engine.quarantine import judge_revision, wished
from kilde.engine.runtime import NOTHING, Running, Runtime, Wish
from kilde.engine.sources.wishes import Wishes, owned_refs
from kilde.engine.verdicts import Verdicts, not_loaded

log = structlog.get_logger()

Condition = tuple[str, str]
Meanwhile = tuple[Callable[[], Verdict], Callable[[], Awaitable[None]]]


class Passes:
    """Runs passes; one at a time for each application (the queue sees to that)."""

    def __init__(self, ctx: Context, cluster_of: ClusterOf) -> None:
        self._ctx = ctx
        self._wishes = Wishes(ctx)
        self.dependencies = Dependencies(ctx, cluster_of)
        self._verdicts = Verdicts(ctx, self.dependencies)
        self._failures = Failures(ctx, self._verdicts)

    async def run(self, name: str) -> float | None:
        """One pass; gives the seconds until the next is wanted (None: when something happens)."""
        ctx = self._ctx
        app = ctx.fleet.get(name)
        if app is None:
            ctx.forget(name)
            self.dependencies.forget(name)
            ctx.close_cut_off(name)
            self._failures.forget(name)
            return None
        async with ctx.slots:
            try:
                ctx.require()
                delay = await self._pass(app)
            except ClusterError as error:
                return await self._failures.cluster(app, error)
            except LedgerError as error:
                return await self._failures.ledger(app, error)
            except Exception as error:  # noqa: BLE001 - what one application's files do to us must not stop the others
                return await self._failures.defect(app, error)
        self._failures.forget(name)
        if not (app.deleting or app.skipped or app.problems):
            ctx.close_cut_off(name)
        return delay

    async def _pass(self, app: Application) -> float | None:
        ctx, rt = self._ctx, self._ctx.runtime(app.name)
        if app.deleting:
            return None if ctx.settings.shadow else await self._deleted(app, rt)
        if app.skipped:
            return None
        problems = app.problems or ctx.projects.refusals(app)
        if problems or not app.sources:
            return await self._unusable(app, rt, problems)
        refresh = app.refresh
        if await ctx.strays.look(app, ctx.of) and ctx.fleet.get(app.name) is not app:
            return 0.001
        try:
            wish = await self._wish(app, rt, fresh=bool(refresh), hard=refresh == "hard")
        except KildeError as error:
            if isinstance(error, ClusterError):
                raise
            return await self._not_rendered(app, rt, error, refresh)
        rt.render_error = ""
        await await_hooks(ctx, app, wish)
        await outdated_heals(rt, wish)
        return await self._compared(app, rt, wish, refresh)

    async def _unusable(self, app: Application, rt: Runtime, problems: Sequence[str]) -> float | None:
        """What is told of an application that cannot be used, and of the operation that somebody asks of it all the same."""
        ctx = self._ctx
        told = await self._verdicts.unusable(app, problems)
        running = None if ctx.settings.shadow else asked_for(ctx, app, rt)
        if running is None:
            return None
        wait = 0.0 if running.retry_at is None else running.retry_at - ctx.world.clock.monotonic()
        if wait > 0:
            return 0.001 if await blocked.ended(ctx, app, running) else wait
        if running.operation.problem:
            return await self._refuse(
                app, rt, running, f"Invalid operation request: {running.operation.problem}", NOTHING
            )
        running.looks = ctx.projects.of(app) is not None
        why = unusable_words(app, problems, has_project=running.looks)
        return await self._refuse(
            app, rt, running, why, NOTHING.at(await self._meant(app, rt, running.operation)), told
        )

    async def _meant(self, app: Application, rt: Runtime, operation: Operation) -> tuple[str, ...]:
        """The commits that an operation is about which does not begin; what was asked for where that is not, or may not be, told."""
        project = self._ctx.projects.of(app)
        if app.problems or project is None or not all(project.permits_repository(one.repo_url) for one in app.sources):
            return operation.revisions
        try:
            return await self._wishes.revisions(app, rt, app.sources, operation.revisions or app.words)
        except SourceError:
            return operation.revisions

    async def _deleted(self, app: Application, rt: Runtime) -> float | None:
        ctx = self._ctx
        if await self.dependencies.holds_deletion(app):
            return None
        delay = await delete_application(ctx, app, rt, lambda: self._wishes.current(app, rt, fresh=False, hard=False))
        if problems := app.problems or ctx.projects.refusals(app):
            await self._verdicts.unusable_and_going(app, problems)
        elif delay is not None and rt.wish is not None:
            await self._verdicts.tell(app, self._verdicts.now(app, rt, rt.wish))
        return delay

    async def _compared(self, app: Application, rt: Runtime, wish: Wish, refresh: str) -> float | None:
        ctx = self._ctx
        auto = app.policy.automated
        survey = ctx.surveyor.survey(app, rt, prune=bool(auto and auto.prune))
        survey = replace(survey, plan=await ctx.deletion_budgets.hold(app, rt, wish, survey.plan))
        if not (ctx.settings.shadow or app.uncomparable) and await judge_revision(ctx, app, rt, wish, survey):
            return 0.001
        running, condition = wanted_operation(ctx, app, rt, survey, wish)
        if running is None or ctx.settings.shadow:
            await self._verdicts.tell(app, self._verdicts.of(app, rt, wish, survey, condition), refresh=refresh)
            return 5.0 if rt.fighting else None  # the condition goes when they stop
        if running.operation.problem:
            return await self._refuse(app, rt, running, f"Invalid operation request: {running.operation.problem}", wish)
        later = await self._begins_later(
            app, running, lambda why: self._verdicts.of(app, rt, wish, survey, why or condition), refresh
        )
        if later is not None:
            return later[0]
        wait = 0.0 if running.retry_at is None else running.retry_at - ctx.world.clock.monotonic()
        if wait > 0 and await blocked.ended(ctx, app, running):
            return 0.001
        if wait > 0:
            await self._verdicts.tell(app, self._verdicts.of(app, rt, wish, survey, condition), refresh=refresh)
            return wait
        if refresh:
            await self._verdicts.tell(app, self._verdicts.of(app, rt, wish, survey, condition), refresh=refresh)
        return await self._operate(app, rt, wish, running)

    async def _begins_later(
        self, app: Application, running: Running, verdict: Callable[[Condition | None], Verdict], refresh: str
    ) -> tuple[float | None] | None:
        """Says why an operation does not begin, and gives the seconds until it is looked at again; None: it begins."""
        ctx, condition = self._ctx, None
        again: float | None = blocked.WINDOW_POLL
        message = blocked_words(ctx.projects.unread_window(app))
        manual, ended = not running.operation.automated, blocked.is_ended(app)
        if ended or ctx.projects.may_sync(app, manual=manual, begun=running.started_at):
            hold = await self.dependencies.hold(app, running)
            if hold is None:
                return None
            again, message = hold.again, hold.condition[1]
            condition = None if hold.refused else hold.condition
            if manual and (hold.refused or ended):
                await blocked.refuse(ctx, app, running.operation, message if hold.refused else "Operation terminated")
                return (0.001,)
        if running.operation.automated and not running.retries:
            await self._verdicts.tell(app, verdict(condition), refresh=refresh)
        else:
            await blocked.tell(ctx, app, running, verdict(condition), refresh, message)
        return (again,)

    async def _operate(
        self, app: Application, rt: Runtime, wish: Wish, running: Running, *, told: Verdict | None = None
    ) -> float | None:
        """`told`: how it looks meanwhile, where what Git has cannot be rendered."""
        ctx = self._ctx
        operation = running.operation
        rt.running = running
        if app.uncomparable:
            return await self._refuse(app, rt, running, f"ComparisonError: {app.uncomparable}", wish)
        if running.retries and operation.retry.refresh:
            wish = await self._newest(app, rt, wish)
        target, acting = wish, app.under(operation)
        job_rt = rt if acting is app else Runtime(wish=wish)  # whether it may be pruned rests on the options
        others = operation.sources and operation.sources != app.sources
        if others and (denied := ctx.projects.refusals(replace(app, sources=operation.sources))):
            return await self._refuse(app, rt, running, "; ".join(denied), wish.at(operation.revisions))
        if others or operation.manifests or operation.revisions not in ((), wish.revisions):
            try:
                target = await self._target(app, rt, operation)
            except KildeError as error:
                why = f"ComparisonError: {not_loaded(app, rt, error, operation)[1]}"
                why = str(error) if operation.manifests else why
                return await self._refuse(app, rt, running, why, wish.at(operation.revisions), told)
            job_rt = Runtime(wish=target)
            needed = {*target.objects, *rt.held_refs, *(ref for ref, _ in target.hooks)}
            await ctx.watch_all(app.name, needed, await ctx.world.cluster.discovery())
        whole = ctx.surveyor.survey(acting, job_rt, prune=operation.prune).plan
        plan = selected(whole, operation)
        if operation.automated:
            plan = unrivalled(ctx, app, plan)
        plan = await ctx.deletion_budgets.hold(app, rt, target, plan, whole, quietly=operation.dry_run)
        if not operation.dry_run:
            ctx.deletion_budgets.begin(app, rt, target, plan, whole)
        revision = None if operation.manifests else await self._wishes.revision(app, target.revisions)

        verdict, refresh = self._meanwhile(app, rt, wish, told)
        job = Job(
            app=acting,
            rt=job_rt,
            wish=target,
            plan=plan,
            revision=revision,
            running=running,
            verdict=verdict,
            refresh=refresh,
        )
        return await self._carried_out(job, rt)

    def _meanwhile(self, app: Application, rt: Runtime, wish: Wish, told: Verdict | None) -> Meanwhile:
        """What an operation tells of the application while it runs, and how it looks at Git anew."""
        return lambda: told or self._verdicts.now(app, rt, wish), lambda: self._refreshed(app, rt, wish)

    async def _carried_out(self, job: Job, rt: Runtime) -> float | None:
        rt.busy = True
        try:
            delay = await operate(self._ctx, job)
        finally:
            rt.busy = False
        if delay is None:
            rt.running = None
            rt.refused.clear()
            rt.healed.clear()  # its end is the newer news
            return 0.001  # look once more: what came meanwhile, and whether it is all in step now
        return delay

    async def _refuse(
        self, app: Application, rt: Runtime, running: Running, why: str, wish: Wish, told: Verdict | None = None
    ) -> float | None:
        """An attempt that cannot begin; it is made again where the operation says so."""
        if running.operation.problem:
            rt.running = None
            await blocked.refuse(self._ctx, app, running.operation, why)
            return 0.001
        rt.running, running.ended = running, Outcome(Phase.ERROR, why)
        verdict, refresh = self._meanwhile(app, rt, wish, told)
        job = Job(
            app=app,
            rt=rt,
            wish=wish,
            plan=Plan(changes=()),
            revision=None,
            running=running,
            verdict=verdict,
            refresh=refresh,
        )
        return await self._carried_out(job, rt)

    async def _refreshed(self, app: Application, rt: Runtime, wish: Wish) -> None:
        """Looks at Git anew while an operation waits, if somebody asks for that."""
        newest = self._ctx.fleet.get(app.name) or app
        if newest.refresh:
            await self._newest(newest, rt, wish, hard=newest.refresh == "hard")
            await self._verdicts.tell(newest, self._verdicts.now(app, rt, wish), refresh=newest.refresh)

    async def _newest(self, app: Application, rt: Runtime, known: Wish, *, hard: bool = False) -> Wish:
        """What Git has by now; what is known where that cannot be told."""
        try:
            return await self._wish(app, rt, fresh=True, hard=hard)
        except KildeError as error:
            if isinstance(error, ClusterError):
                raise
            log.warning("goes on with what is known", application=app.name, error=str(error))
            return known

    async def _wish(self, app: Application, rt: Runtime, *, fresh: bool, hard: bool) -> Wish:
        """What the application is to be: what Git wants, or what it is kept at while that is in quarantine. Raises KildeError."""
        return await wished(self._ctx, self._wishes, app, rt, fresh=fresh, hard=hard)

    async def _target(self, app: Application, rt: Runtime, operation: Operation) -> Wish:
        if operation.manifests:
            return await self._wishes.local(app, operation)
        return await self._wishes.at(app, rt, operation)

    async def _not_rendered(self, app: Application, rt: Runtime, error: KildeError, refresh: str) -> float | None:
        """The wanted objects could not be worked out: the cluster is left as it is, and people are told why."""
        ctx = self._ctx
        condition = not_loaded(app, rt, error)
        if rt.render_error != str(error):
            log.warning("not rendered", application=app.name, error=str(error))
            rt.render_error = str(error)
        known = {*owned_refs(app), *rt.held_refs, *ctx.may_own(app)}  # so that the status goes on listing them
        await ctx.watch_all(app.name, known, await ctx.world.cluster.discovery())
        survey = ctx.surveyor.survey(app, Runtime(), prune=False, wanted=())
        verdict = Verdict(
            sync="Unknown",
            health=survey.health,
            revisions=app.unresolved,
            resources=tuple(replace(one, sync="Unknown") for one in survey.resources),
            conditions=(condition, *(() if isinstance(error, SourceError) else self._verdicts.unavailable(app))),
        )
        await self._verdicts.tell(app, verdict, refresh=refresh)
        running = None if ctx.settings.shadow else asked_for(ctx, app, rt)
        if running is None or running.operation.automated:
            return None
        later = await self._begins_later(app, running, lambda why: verdict, refresh)
        if later is not None:
            return later[0]
        wait = 0.0 if running.retry_at is None else running.retry_at - ctx.world.clock.monotonic()
        if wait > 0:
            return 0.001 if await blocked.ended(ctx, app, running) else wait
        operation, best = running.operation, rt.wish or NOTHING
        if operation.manifests or operation.revisions or (operation.sources and operation.sources != app.sources):
            return await self._operate(app, rt, best, running, told=verdict)
        return await self._refuse(app, rt, running, f"ComparisonError: {condition[1]}", best.at(()), verdict)
