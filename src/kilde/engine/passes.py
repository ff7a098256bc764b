"""One pass over one application: source → render → plan → apply → health → ledger. The order of the stages is written here.

A pass starts from what is, may be cut off between any two lines, and the next one goes on from the cluster.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import structlog

from kilde.core.apply.words import BLOCKED
from kilde.core.apps.application import Application
from kilde.core.apps.conditions import cluster_error, comparison_error, deletion_error, invalid_spec, unused_version
from kilde.core.apps.decide import automatic
from kilde.core.apps.operation import Operation, read_operation
from kilde.core.apps.status import Verdict, not_compared, render_operation, render_status
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, KildeError, LedgerError, SourceError
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action
from kilde.core.plan.options import unknown_options
from kilde.core.plan.planner import Plan, shared_warnings
from kilde.engine.context import Context
from kilde.engine.deletion.application import delete_application
from kilde.engine.deletion.hooks import await_hooks
from kilde.engine.heal import heal_state, outdated_heals
from kilde.engine.operation import blocked
from kilde.engine.operation.automated import automated_operation, begun_for, unrivalled
from kilde.engine.operation.dependencies import ClusterOf, Dependencies
from kilde.engine.operation.operate import Job, operate, selected
from kilde.engine.operation.orders import left_over
from kilde.engine.quarantine import conditions as quarantine_conditions
from kilde.engine.quarantine import judge_revision, wished
from kilde.engine.runtime import Running, Runtime, Wish
from kilde.engine.sources.wishes import UNMANAGED, Wishes, owned_refs
from kilde.engine.view.survey import Survey
from kilde.engine.why_not import not_loaded, where

log = structlog.get_logger()

Condition = tuple[str, str]
_FAULTS = Backoff(first=1.0, factor=2.0, ceiling=30.0)


class Passes:
    """Runs passes; one at a time for each application (the queue sees to that)."""

    def __init__(self, ctx: Context, cluster_of: ClusterOf) -> None:
        self._ctx = ctx
        self._wishes = Wishes(ctx)
        self.dependencies = Dependencies(ctx, cluster_of)
        self._faults: dict[str, int] = {}

    async def run(self, name: str) -> float | None:
        """One pass; gives the seconds until the next is wanted (None: when something happens)."""
        ctx = self._ctx
        app = ctx.fleet.get(name)
        if app is None:
            ctx.forget(name)
            self.dependencies.forget(name)
            ctx.close_cut_off(name)
            self._faults.pop(name, None)
            return None
        async with ctx.slots:
            try:
                ctx.require()
                delay = await self._pass(app)
            except ClusterError as error:
                return await self._cluster_failed(app, error)
            except LedgerError as error:
                return await self._not_recorded(app, error)
            except Exception as error:  # noqa: BLE001 - what one application's files do to us must not stop the others
                return await self._defect(app, error)
        self._faults.pop(name, None)
        if not (app.deleting or app.skipped or app.problems):
            ctx.close_cut_off(name)
        return delay

    async def _cluster_failed(self, app: Application, error: ClusterError) -> float:
        failures = self._failed(app)
        log.warning("pass cut off by the cluster", application=app.name, error=str(error), failures=failures)
        tells = (
            error.status or error.reason == UNMANAGED or not self._ctx.is_home
        )  # where else it is the one that is written to
        return await self._again(app, failures, cluster_error(error) if tells and failures > 1 else None)

    async def _not_recorded(self, app: Application, error: LedgerError) -> float:
        """What cannot be written down is not done: told, and tried again."""
        failures = self._failed(app)
        log.error("the ledger cannot be written", application=app.name, error=str(error), failures=failures)
        return await self._again(app, failures, ("SyncError", f"what cannot be recorded is not done: {error}"))

    async def _defect(self, app: Application, error: Exception) -> float:
        """A fault of ours that only this application meets: told, and tried again. Its words may hold values: only its kind is shown."""
        failures = self._failed(app)
        kind = type(error).__name__
        log.error("defect in a pass", application=app.name, error=kind, at=where(error), failures=failures)
        text = f"Kilde has a defect that this application meets ({kind} at {where(error)}); nothing was changed since"
        return await self._again(app, failures, ("UnknownError", text))

    def _failed(self, app: Application) -> int:
        """Counts: how many passes over it have failed in a row."""
        self._faults[app.name] = self._faults.get(app.name, 0) + 1
        return self._faults[app.name]

    async def _again(self, app: Application, failures: int, condition: tuple[str, str] | None) -> float:
        """Tells why a pass failed, where that can be told; gives the seconds until the next try."""
        if condition is not None:
            verdict = Verdict(sync="Unknown", health="Unknown", revisions=app.words, conditions=(condition,))
            try:
                await self._tell(app, verdict)
            except ClusterError:
                log.warning("status not written", application=app.name)
        return _FAULTS.delay(failures, dice=self._ctx.world.clock.dice())

    async def _pass(self, app: Application) -> float | None:
        ctx, rt = self._ctx, self._ctx.runtime(app.name)
        if app.deleting and ctx.settings.shadow:
            return None
        if app.deleting:
            if await self.dependencies.holds_deletion(app):
                return None
            delay = await delete_application(
                ctx, app, rt, lambda: self._wishes.current(app, rt, fresh=False, hard=False)
            )
            if delay is not None and rt.wish is not None:
                await self._tell(app, self._now(app, rt, rt.wish))
            return delay
        if app.skipped:
            return None
        problems = app.problems or ctx.projects.refusals(app)
        if problems or not app.sources:
            await self._unusable(app, problems)
            return None
        refresh = app.refresh
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

    async def _compared(self, app: Application, rt: Runtime, wish: Wish, refresh: str) -> float | None:
        ctx = self._ctx
        auto = app.policy.automated
        survey = ctx.surveyor.survey(app, rt, prune=bool(auto and auto.prune))
        survey = replace(survey, plan=await ctx.deletion_budgets.hold(app, rt, wish, survey.plan))
        if not (ctx.settings.shadow or app.uncomparable) and await judge_revision(ctx, app, rt, wish, survey):
            return 0.001
        running, condition = self._wanted_operation(app, rt, survey, wish)
        if running is None or ctx.settings.shadow:
            await self._tell(app, self._verdict(app, rt, wish, survey, condition), refresh=refresh)
            return 5.0 if rt.fighting else None  # the condition goes when they stop
        if told := blocked.refusal(app, running.operation):
            return await self._refuse(app, rt, running.operation, told)
        later = await self._begins_later(
            app, running, lambda why: self._verdict(app, rt, wish, survey, why or condition), refresh
        )
        if later is not None:
            return later[0]
        wait = 0.0 if running.retry_at is None else running.retry_at - ctx.world.clock.monotonic()
        if wait > 0 and await blocked.ended(ctx, app, running):
            return 0.001
        if wait > 0:
            await self._tell(app, self._verdict(app, rt, wish, survey, condition), refresh=refresh)
            return wait
        if refresh:
            await self._tell(app, self._verdict(app, rt, wish, survey, condition), refresh=refresh)
        return await self._operate(app, rt, wish, running)

    async def _begins_later(
        self, app: Application, running: Running, verdict: Callable[[Condition | None], Verdict], refresh: str
    ) -> tuple[float | None] | None:
        """Says why an operation does not begin, and gives the seconds until it is looked at again; None: it begins."""
        ctx, condition = self._ctx, None
        again: float | None = blocked.WINDOW_POLL
        message, manual, ended = BLOCKED, not running.operation.automated, blocked.is_ended(app)
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
            await self._tell(app, verdict(condition), refresh=refresh)
        else:
            await blocked.tell(ctx, app, running, verdict(condition), refresh, message)
        return (again,)

    async def _operate(self, app: Application, rt: Runtime, wish: Wish, running: Running) -> float | None:
        ctx = self._ctx
        operation = running.operation
        rt.running = running
        if running.retries and operation.retry.refresh:
            wish = await self._newest(app, rt, wish)
        target, acting = wish, app.under(operation)
        job_rt = rt if acting is app else Runtime(wish=wish)  # whether it may be pruned rests on the options
        others = operation.sources and operation.sources != app.sources
        if others and (denied := ctx.projects.refusals(replace(app, sources=operation.sources))):
            return await self._refuse(app, rt, operation, "; ".join(denied))
        if others or operation.manifests or operation.revisions not in ((), wish.revisions):
            try:
                target = await self._target(app, rt, operation)
            except KildeError as error:
                told = f"ComparisonError: {not_loaded(app, rt, error, operation)[1]}"
                return await self._refuse(app, rt, operation, str(error) if operation.manifests else told)
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

        job = Job(
            app=acting,
            rt=job_rt,
            wish=target,
            plan=plan,
            revision=revision,
            running=running,
            verdict=lambda: self._now(app, rt, wish),
            refresh=lambda: self._refreshed(app, rt, wish),
        )
        rt.busy = True
        try:
            delay = await operate(ctx, job)
        finally:
            rt.busy = False
        if delay is None:
            rt.running = None
            return 0.001  # look once more: what came meanwhile, and whether it is all in step now
        return delay

    async def _refuse(self, app: Application, rt: Runtime, operation: Operation, why: str) -> float:
        rt.running = None
        await blocked.refuse(self._ctx, app, operation, why)
        return 0.001

    def _now(self, app: Application, rt: Runtime, wish: Wish) -> Verdict:
        """How it looks while an operation works, beside what Git was last seen to want."""
        newest = self._ctx.fleet.get(app.name) or app
        auto = newest.policy.automated
        survey = self._ctx.surveyor.survey(newest, rt, prune=bool(auto and auto.prune))
        return self._verdict(newest, rt, rt.wish or wish, survey, deletion_error(newest))

    async def _refreshed(self, app: Application, rt: Runtime, wish: Wish) -> None:
        """Looks at Git anew while an operation waits, if somebody asks for that."""
        newest = self._ctx.fleet.get(app.name) or app
        if newest.refresh:
            await self._newest(newest, rt, wish, hard=newest.refresh == "hard")
            await self._tell(newest, self._now(app, rt, wish), refresh=newest.refresh)

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

    def _wanted_operation(
        self, app: Application, rt: Runtime, survey: Survey, wish: Wish
    ) -> tuple[Running | None, tuple[str, str] | None]:
        ctx = self._ctx
        if rt.running is not None:
            return rt.running, None
        left = left_over(ctx, app)
        if left is not None:
            return left, None
        if app.operation is not None:
            return Running(app.operation, heal=False, started_at=ctx.now(), number=0), None
        if ctx.window(app.name) is not None or app.uncomparable:
            return None, None  # people are at work: nothing is done by itself
        allowed = begun_for(ctx, app, survey.plan)
        wipes_out = not wish.objects and bool(survey.extras)
        approved = ctx.deletion_budgets.is_approved(app, rt, wish, allowed)
        decision = automatic(app, allowed, revision=wish.sha, wipes_out=wipes_out, approved=approved)
        if not decision.sync or (rt.quarantine is not None and not rt.quarantine.to):
            return None, decision.condition
        heals = decision.heal and not ctx.projects.account_refusal(app)
        healing = self._left_to_heal(app, allowed) if heals else allowed
        if not healing.changes:
            return None, None
        operation = read_operation(automated_operation(app, wish.revisions, healing, rt if decision.heal else None))
        return Running(operation, heal=decision.heal, started_at=ctx.now(), number=0), None

    def _left_to_heal(self, app: Application, plan: Plan) -> Plan:
        """Hands what one apply mends to the healer; the rest (prunes, or all when the namespace is gone or it is to fail) is a sync's."""
        ctx = self._ctx
        space = ObjectRef("", "Namespace", "", app.destination.namespace)
        gone = app.policy.options.is_on("CreateNamespace") and ctx.live.exists(space) is False
        if gone or unrivalled(ctx, app, plan) != plan:
            return plan
        for change in plan.of(Action.CREATE, Action.UPDATE):
            ctx.heal(app.name, change.ref)
        return Plan(changes=plan.of(Action.PRUNE))

    def _verdict(
        self, app: Application, rt: Runtime, wish: Wish, survey: Survey, condition: tuple[str, str] | None
    ) -> Verdict:
        conditions = [
            ("SharedResourceWarning", text)
            for text in shared_warnings(survey.plan, app=app.own_name, app_namespace=app.namespace)
        ]
        conditions += self._ctx.deletion_budgets.condition(app, rt, wish, survey.plan)
        conditions += quarantine_conditions(app, rt)
        conditions += self._ctx.orphans.conditions(app)
        conditions += self.dependencies.problems(app)
        conditions += wish.conditions
        conditions += unused_version(app.sources)
        conditions += [("DriftFightWarning", text) for text in rt.fighting.values()]
        if (window := self._ctx.window(app.name)) is not None:
            conditions.append(("GuardOpen", window.told))
        conditions += [("IgnoreDifferencesWarning", text) for rule in app.ignore for text in rule.odd]
        conditions += [("UnknownOptionWarning", text) for text in unknown_options(app.policy.options)]
        if condition is not None:
            conditions.append(condition)
        conditions += (*survey.conditions, *self._unavailable(app))
        verdict = Verdict(
            sync="Synced" if survey.plan.in_sync and rt.head is None and not app.renames_space else "OutOfSync",
            health=survey.health,
            revisions=(rt.head or wish).revisions,
            source_types=wish.source_types,
            resources=survey.resources,
            conditions=tuple(conditions),
            images=survey.images,
            urls=survey.urls,
        )
        return not_compared(verdict, app.uncomparable) if app.uncomparable else verdict

    def _unavailable(self, app: Application) -> list[tuple[str, str]]:
        """What is told when the repository cannot be fetched now, though a commit of it is known."""
        errors = [self._ctx.repositories.error(source.url, app.project) for source in app.sources]
        of = len(errors)
        return [comparison_error(SourceError(e), source=(n + 1, of)) for n, e in enumerate(errors) if e]

    async def _tell(self, app: Application, verdict: Verdict, *, refresh: str = "") -> None:
        ctx = self._ctx
        rt = ctx.runtime(app.name)
        healed, rt.healed = rt.healed, []

        def build(newest: Application) -> dict[str, Any]:
            status = render_status(newest, verdict, now=ctx.now())
            if healed and (state := heal_state(newest, rt, healed)) is not None:
                status["operationState"] = render_operation(state, newest)
            return status

        await ctx.reporter.write(app.name, build, refreshed=refresh)

    async def _unusable(self, app: Application, problems: Iterable[str]) -> None:
        conditions = tuple(invalid_spec(problem) for problem in problems)
        verdict = Verdict(sync="Unknown", health="Unknown", conditions=conditions, compared=False)
        await self._tell(app, verdict, refresh=app.refresh)

    async def _not_rendered(self, app: Application, rt: Runtime, error: KildeError, refresh: str) -> float | None:
        """The wanted objects could not be worked out: the cluster is left as it is, and people are told why."""
        ctx = self._ctx
        condition = not_loaded(app, rt, error)
        if rt.render_error != str(error):
            log.warning("not rendered", application=app.name, error=str(error))
            rt.render_error = str(error)
        known = {*owned_refs(app), *rt.held_refs, *ctx.left_over(app.name)}  # so that the status goes on listing them
        await ctx.watch_all(app.name, known, await ctx.world.cluster.discovery())
        survey = ctx.surveyor.survey(app, Runtime(), prune=False, wanted=())
        verdict = Verdict(
            sync="Unknown",
            health=survey.health,
            revisions=app.words,
            resources=tuple(replace(one, sync="Unknown") for one in survey.resources),
            conditions=(condition, *(() if isinstance(error, SourceError) else self._unavailable(app))),
        )
        await self._tell(app, verdict, refresh=refresh)
        if app.operation is not None:
            await blocked.refuse(self._ctx, app, app.operation, f"ComparisonError: {condition[1]}")
        return None
