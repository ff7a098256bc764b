"""Deletion budgets: holds deletions that are over a budget, tells who releases them and how, and lets through what was approved.

Applies go on while deletions are held (decision 25). What is held is worked out anew at each pass; only what the fleet's budget holds is
noted, on the Application, so that it stays held when the time of that budget is over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import structlog

from kilde.core.access.project import DELETION_BUDGET
from kilde.core.apps.application import Application
from kilde.core.apps.status import last_attempt
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import GroupKind
from kilde.core.plan.budget import Budget, Limit, Spent, read_budget
from kilde.core.plan.data_loss import claimed_volume, data_loss
from kilde.core.plan.held import (
    APPROVE,
    APPROVED,
    BY_ANNOTATION,
    CONDITION,
    HELD,
    Deletions,
    approvals,
    deletions_of,
    hold,
    over_limits,
    told,
)
from kilde.core.plan.planner import Plan
from kilde.engine.fleet.projects import Projects
from kilde.engine.records.accounts import Accounts
from kilde.engine.report import Reporter
from kilde.engine.runtime import Approval, Runtime, Wish
from kilde.engine.settings import EngineSettings
from kilde.engine.view.live import LiveView
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource
from kilde.ports.undo import UndoStore

log = structlog.get_logger()

_VOLUMES = Resource("", "v1", "PersistentVolume", "persistentvolumes", False)
_CLAIM = GroupKind("", "PersistentVolumeClaim")
_decode = msgspec.json.Decoder(dict).decode
_BY_FLEET = "held since all applications together would have lost more than --fleet-deletion-budget allows"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is said of a plan's deletions: why they are held ("": they are not), or who approved them ("": nobody had to)."""

    found: Deletions
    reason: str = ""
    by_fleet: bool = False
    approved_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionBudgets:
    """One for all applications: what they delete within a while is counted here."""

    cluster: Cluster
    clock: Clock
    live: LiveView
    tracked: Callable[[], int]  # how many objects all applications track
    projects: Projects
    reporter: Reporter
    accounts: Accounts
    settings: EngineSettings
    undo: UndoStore | None
    spent: Spent = field(default_factory=Spent)
    losses: dict[str, str] = field(default_factory=dict)  # by uid of a claim: what becomes of its data

    def ruling(self, app: Application, rt: Runtime, wish: Wish, plan: Plan, whole: Plan | None = None) -> Ruling:
        """Judges the deletions of a plan. `whole`: the plan of all of the application, where `plan` is a part of it."""
        name = app.place
        asked = asked_to_prune(app, wish)
        found = deletions_of(plan, application=name, rendered=wish.digest, asked=asked)
        if whole is not None:
            every = deletions_of(whole, application=name, rendered=wish.digest)
            found = Deletions(changes=found.changes, digest=every.digest, total=every.total)
        if not found.changes:
            return Ruling(found)
        given = approvals(app.annotations)
        if found.digest in given:
            return Ruling(found, approved_by=given[found.digest])
        begun = rt.approved or self._begun_before(name, given)
        if begun is not None and begun.rendered == wish.digest and found.weights.keys() <= begun.uids:
            return Ruling(found, approved_by=begun.by)
        reason = over_limits(found, self._limits(app))
        if reason:
            return Ruling(found, reason)
        if app.annotations.get(HELD) == found.digest:
            return Ruling(found, _BY_FLEET, by_fleet=True)
        total = self.tracked()
        reason = self.spent.excess(found.weights, self.settings.fleet_budget, total=total, now=self.clock.monotonic())
        return Ruling(found, reason, by_fleet=bool(reason))

    def _begun_before(self, name: str, given: Mapping[str, str]) -> Approval | None:
        """What an earlier process began to delete under an approval that still stands."""
        for digest, by in given.items() if self.undo is not None else ():
            assert self.undo is not None
            rendered, uids = self.undo.approved(name, digest)
            if rendered:
                return Approval(digest, rendered, uids, by)
        return None

    def _limits(self, app: Application) -> tuple[Limit, ...]:
        return limits_of(app, self.projects, self.settings.deletion_budget)

    async def hold(
        self, app: Application, rt: Runtime, wish: Wish, plan: Plan, whole: Plan | None = None, *, quietly: bool = False
    ) -> Plan:
        """The plan without deletions that are held; that they are is told once, unless `quietly`. Raises ClusterError, LedgerError."""
        found = self.ruling(app, rt, wish, plan, whole)
        if quietly:
            return hold(plan, found.found) if found.reason else plan
        if not found.reason:
            await self._tidy(app, rt, found)
            return plan
        await self._look_at_volumes(found.found)
        if found.by_fleet and app.annotations.get(HELD) != found.found.digest:
            await self.reporter.annotate(app.name, {HELD: found.found.digest})
        if rt.held != found.found.digest and not _was_told(app, found.found.digest):
            text = self.sentence(app, found)
            self.accounts.noted(
                app,
                cause="deletions held",
                asked_by="automated",
                phase="Held",
                message=text,
                changes=found.found.changes,
            )
            await self.reporter.event(app, kind="Warning", reason="DeletionHeld", message=text)
            log.warning("deletions held", application=app.name, objects=len(found.found.changes), reason=found.reason)
        rt.held = found.found.digest
        return hold(plan, found.found)

    async def _tidy(self, app: Application, rt: Runtime, found: Ruling) -> None:
        """Takes away notes that stand for nothing any more: an approval of what is gone by now, a hold of other deletions."""
        stale: dict[str, str | None] = {}
        digest = found.found.digest if found.found.changes else ""
        if HELD in app.annotations and app.annotations[HELD] != digest:
            stale[HELD] = None
        used = rt.approved is not None and app.annotations.get(APPROVED, "").partition(" ")[0] == rt.approved.digest
        if used and not found.found.changes:
            stale[APPROVED] = None
        if stale:
            await self.reporter.annotate(app.name, stale)

    async def _look_at_volumes(self, found: Deletions) -> None:
        """One request for each claim that is held, once: what its volume's reclaim policy is."""
        for change in found.changes:
            held = self.live.get(change.ref)
            if change.ref.group_kind != _CLAIM or held is None or change.live_uid in self.losses:
                continue
            claim = held.body()
            name, volume = claimed_volume(claim), None
            if name:
                try:
                    raw = await self.cluster.get(_VOLUMES, "", name)
                except ClusterError as error:
                    if error.status not in (401, 403):
                        raise
                    raw = None
                volume = _decode(raw) if raw else None
            self.losses[change.live_uid] = data_loss(claim, volume)

    def begin(self, app: Application, rt: Runtime, wish: Wish, plan: Plan, whole: Plan | None = None) -> None:
        """A sync is about to delete what the budgets let through: counted, and recorded where a person approved it."""
        found = self.ruling(app, rt, wish, plan, whole)
        if not found.found.changes or found.reason:
            return
        if not found.approved_by:
            self.spent.spend(found.found.weights, now=self.clock.monotonic())
            return
        if rt.approved is None or rt.approved.digest != found.found.digest:
            begun = Approval(found.found.digest, wish.digest, frozenset(found.found.weights), found.approved_by)
            if rt.approved is not None and begun.uids <= rt.approved.uids and rt.approved.rendered == wish.digest:
                return
            manager = self.reporter.writer_of(app.name, APPROVE) if found.approved_by == BY_ANNOTATION else ""
            by = f"{found.approved_by}, written by {manager}" if manager else found.approved_by
            text = f"deletion of {len(found.found.changes)} objects, plan {found.found.digest}"
            self.accounts.noted(
                app,
                cause="deletions approved",
                asked_by=by,
                phase="Approved",
                message=text,
                changes=found.found.changes,
            )
            rt.approved = begun

    def is_approved(self, app: Application, rt: Runtime, wish: Wish, plan: Plan) -> bool:
        """Whether there are deletions that a person has released, and that are yet to be asked for."""
        return bool(self.ruling(app, rt, wish, plan).approved_by)

    def condition(self, app: Application, rt: Runtime, wish: Wish, plan: Plan) -> tuple[tuple[str, str], ...]:
        """What the status tells of held deletions."""
        found = self.ruling(app, rt, wish, plan)
        return ((CONDITION, self.sentence(app, found)),) if found.reason else ()

    def sentence(self, app: Application, found: Ruling) -> str:
        return told(found.found, found.reason, self.losses, name=app.name)


def limits_of(app: Application, projects: Projects, default: Budget) -> tuple[Limit, ...]:
    """What may be deleted of an application at a time; `default`: the controller's own limit."""
    project = projects.of(app)
    own = app.annotations.get(DELETION_BUDGET)
    of_project = project.deletion_budget if project else None
    if own is not None:
        limit = Limit(read_budget(own), f"annotation {DELETION_BUDGET} of the Application")
    elif of_project is not None:
        limit = Limit(of_project, f"annotation {DELETION_BUDGET} of AppProject {app.project}")
    else:
        limit = Limit(default, "--deletion-budget")
    cap = project.deletion_cap if project else None
    return (limit,) if cap is None else (limit, Limit(cap, f"the cap of AppProject {app.project}"))


def asked_to_prune(app: Application, wish: Wish) -> bool:
    """Whether the last sync was one that a person asked to prune, to what Git has now: what it held stays told."""
    attempt = last_attempt(app.status)
    operation = (app.status.get("operationState") or {}).get("operation") or {}
    automated = bool((operation.get("initiatedBy") or {}).get("automated"))
    pruned = (operation.get("sync") or {}).get("prune") is True
    return not automated and pruned and attempt is not None and attempt.revision == wish.sha


def _was_told(app: Application, digest: str) -> bool:
    return any(
        one.get("type") == CONDITION and digest in str(one.get("message")) for one in app.status.get("conditions") or ()
    )
