"""Verdicts: what a pass tells of an application: its sync, health and conditions, and the heals since it was last told."""

from collections.abc import Iterable
from typing import Any

from kilde.core.apps.application import Application
from kilde.core.apps.conditions import comparison_error, deletion_error, invalid_spec, unused_version
from kilde.core.apps.operation import Operation
from kilde.core.apps.status import Verdict, not_compared, render_operation, render_status
from kilde.core.basics.errors import KildeError, SourceError
from kilde.core.plan.options import unknown_options
from kilde.core.plan.planner import shared_warnings
from kilde.engine.context import Context
from kilde.engine.heal import heal_state
from kilde.engine.operation.dependencies import Dependencies
from kilde.engine.quarantine import conditions as quarantine_conditions
from kilde.engine.runtime import Heal, Runtime, Wish
from kilde.engine.view.survey import Survey


class Verdicts:
    """Works them out and has them written."""

    def __init__(self, ctx: Context, dependencies: Dependencies) -> None:
        self._ctx, self._dependencies = ctx, dependencies

    def now(self, app: Application, rt: Runtime, wish: Wish) -> Verdict:
        """How it looks while an operation works, beside what Git was last seen to want."""
        newest = self._ctx.fleet.get(app.name) or app
        auto = newest.policy.automated
        survey = self._ctx.surveyor.survey(newest, rt, prune=bool(auto and auto.prune))
        return self.of(newest, rt, rt.wish or wish, survey, deletion_error(newest))

    def of(
        self, app: Application, rt: Runtime, wish: Wish, survey: Survey, condition: tuple[str, str] | None
    ) -> Verdict:
        conditions = [
            ("SharedResourceWarning", text)
            for text in shared_warnings(survey.plan, app=app.own_name, app_namespace=app.namespace)
        ]
        conditions += self._ctx.deletion_budgets.condition(app, rt, wish, survey.plan)
        conditions += quarantine_conditions(app, rt)
        conditions += self._ctx.orphans.conditions(app)
        conditions += self._dependencies.problems(app)
        conditions += wish.conditions
        conditions += unused_version(app.sources)
        conditions += [("DriftFightWarning", text) for text in rt.fighting.values()]
        if (window := self._ctx.window(app.name)) is not None:
            conditions.append(("GuardOpen", window.told))
        conditions += [("IgnoreDifferencesWarning", text) for rule in app.ignore for text in rule.odd]
        conditions += [("UnknownOptionWarning", text) for text in unknown_options(app.policy.options)]
        if condition is not None:
            conditions.append(condition)
        conditions += (*survey.conditions, *self.unavailable(app))
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

    def unavailable(self, app: Application) -> list[tuple[str, str]]:
        """What is told when the repository cannot be fetched now, though a commit of it is known."""
        errors = [self._ctx.repositories.error(source.url, app.project) for source in app.sources]
        of = len(errors)
        return [comparison_error(SourceError(e), source=(n + 1, of)) for n, e in enumerate(errors) if e]

    async def tell(self, app: Application, verdict: Verdict, *, refresh: str = "") -> None:
        ctx = self._ctx
        rt = ctx.runtime(app.name)
        healed: list[Heal] = []
        if rt.running is None:  # while an operation is at work, its state is what is told
            healed, rt.healed = rt.healed, []

        def build(newest: Application) -> dict[str, Any]:
            status = render_status(newest, verdict, now=ctx.now())
            if healed and (state := heal_state(newest, rt, healed)) is not None:
                status["operationState"] = render_operation(state, newest)
            return status

        await ctx.reporter.write(app.name, build, refreshed=refresh)

    async def unusable(self, app: Application, problems: Iterable[str]) -> Verdict:
        conditions = tuple(invalid_spec(problem) for problem in problems)
        verdict = Verdict(sync="Unknown", health="Unknown", conditions=conditions, compared=False)
        await self.tell(app, verdict, refresh=app.refresh)
        return verdict

    async def unusable_and_going(self, app: Application, problems: Iterable[str]) -> None:
        """One that is being deleted: how it was stays told, beside why its objects do not go."""
        newest = self._ctx.fleet.get(app.name) or app
        sync, health = (str((newest.status.get(key) or {}).get("status", "")) for key in ("sync", "health"))
        error = deletion_error(newest)
        conditions = (*([error] if error else []), *(invalid_spec(problem) for problem in problems))
        verdict = Verdict(sync=sync or "Unknown", health=health or "Unknown", conditions=conditions, compared=False)
        await self.tell(app, verdict, refresh=app.refresh)


def not_loaded(app: Application, rt: Runtime, error: KildeError, operation: Operation | None = None) -> tuple[str, str]:
    """Why the source that was looked at last could not be rendered."""
    sources, words = app.sources, app.words
    if operation is not None:
        sources, words = operation.sources or sources, operation.revisions or words
    at = min(rt.source, len(sources) - 1)
    word = words[at] if at < len(words) else ""
    return comparison_error(error, path=sources[at].path, revision=word, source=(at + 1, len(sources)))
