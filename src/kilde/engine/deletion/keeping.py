"""Keeps what is about to be deleted, so that `kilde app undo` can put it back; and gives it up when its time is over."""

from collections.abc import Sequence

from kilde.core.apps.application import Application
from kilde.core.plan.change import Change
from kilde.core.plan.restoring import Kept
from kilde.engine.context import Context


def keep_deleted(ctx: Context, app: Application, operation: int, changes: Sequence[Change]) -> None:
    """Raises KildeError when it cannot be kept: then it is not deleted either. What is on its way out already was kept before."""
    store = ctx.world.undo
    if store is None or ctx.settings.undo_retention <= 0:
        return
    approved = ctx.runtime(app.name).approved
    now, name = ctx.now(), app.place
    found = []
    for change in changes:
        held = ctx.live.get(change.ref)
        if held is None or change.going:
            continue
        covered = approved is not None and change.live_uid in approved.uids
        found.append(
            Kept(
                application=name,
                operation=operation,
                at=now,
                ref=change.ref,
                uid=change.live_uid,
                body=held.body(),
                plan=approved.digest if approved is not None and covered else "",
                rendered=approved.rendered if approved is not None and covered else "",
            )
        )
    if found:
        store.keep(found)


def forget_old(ctx: Context) -> None:
    """Gives up what was kept long enough."""
    if ctx.world.undo is not None:
        ctx.world.undo.forget(ctx.now() - ctx.settings.undo_retention)
