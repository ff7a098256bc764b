"""Automated syncs: what of a plan they take, and the operation block that they write, as Argo CD has it."""

from collections.abc import Iterable
from typing import Any

from kilde.core.apps.application import Application
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Change
from kilde.core.plan.options import fail_on_shared_resource
from kilde.core.plan.planner import Plan
from kilde.engine.context import Context


def automated_operation(
    app: Application, revisions: tuple[str, ...], *, resources: list[dict[str, str]] | None = None, tries: int = 0
) -> dict[str, Any]:
    """A sync to these revisions; with `resources` one that puts back only those, `tries` times by now."""
    auto = app.policy.automated
    sync = app.asked(revisions)
    if auto is not None and auto.prune:
        sync["prune"] = True
    options = list(app.policy.options.words)
    if options:
        sync["syncOptions"] = options
    if resources is not None:
        sync["autoHealAttemptsCount"] = tries
        sync["resources"] = resources
    return {"initiatedBy": {"automated": True}, "retry": retry_block(app), "sync": sync}


def named_out_of_step(healed: Iterable[ObjectRef], changes: Iterable[Change]) -> list[dict[str, str]]:
    """The resources of a healing operation: all that is not Synced, live hooks as well, which it then leaves alone."""
    refs = {*healed, *(change.ref for change in changes if change.differs or change.hook)}
    ordered = sorted(refs, key=lambda ref: f"{ref.group}/{ref.kind}/{ref.namespace}/{ref.name}")
    return [{**({"group": ref.group} if ref.group else {}), "kind": ref.kind, "name": ref.name} for ref in ordered]


def retry_block(app: Application) -> dict[str, Any]:
    """The retry of an automated sync: the application's own, or five more tries."""
    retry = app.policy.retry
    return dict(app.policy.retry_raw) if retry is not None else {"limit": 5}


def begun_for(ctx: Context, app: Application, plan: Plan) -> Plan:
    """What of a plan an automated sync is begun for: also for objects of others, where `FailOnSharedResource=true` is to make it fail."""
    return plan if app.policy.options.is_on(fail_on_shared_resource.NAME) else unrivalled(ctx, app, plan)


def unrivalled(ctx: Context, app: Application, plan: Plan) -> Plan:
    """The plan without objects that other applications of the fleet hold: no fight begins here."""
    return Plan(changes=tuple(change for change in plan.changes if not ctx.is_rivals(app, change.holder)))
