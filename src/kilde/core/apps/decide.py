"""Whether an application that is out of sync is synced now, and why not if not: Argo CD's rules for automated syncs."""

from dataclasses import dataclass

from kilde.core.apps.application import Application
from kilde.core.apps.status import last_attempt
from kilde.core.plan.change import Action
from kilde.core.plan.planner import Plan


@dataclass(frozen=True, slots=True)
class Decision:
    """`sync`: start one. `heal`: of these objects only. `condition` is what people are told when nothing is started."""

    sync: bool = False
    heal: bool = False
    condition: tuple[str, str] | None = None


NOTHING = Decision()


def automatic(
    app: Application, plan: Plan, *, revision: str, wipes_out: bool, approved: bool = False, untold: bool = False
) -> Decision:
    """One attempt a revision and source; after that only self-heal, which touches only what differs.

    `plan` holds what an automated sync may do: objects that another application holds are not in it. `approved`: a person has
    released its deletions, which are done though the revision was synced before. `untold`: there was a newer attempt than the status
    tells of; it is made again, so that its end is told, whether anything is left to do or not.
    """
    auto = app.policy.automated
    if auto is None or (plan.in_sync and not untold):
        return NOTHING
    writes = plan.of(Action.CREATE, Action.UPDATE)
    prunes = tuple(change for change in plan.of(Action.PRUNE) if not change.going)
    kept = auto.prune and any(change.kept and change.differs for change in plan.of(Action.HOLD))
    if not writes and not prunes and not kept and not untold:
        return NOTHING  # only what may not be pruned is left
    attempt = last_attempt(app.status)
    sources = [dict(source.raw) for source in app.sources]
    tried = attempt is not None and attempt.revision == revision and list(map(dict, attempt.sources)) == sources
    tried = tried and not untold
    if tried and attempt is not None and attempt.phase in ("Failed", "Error"):
        text = f"Failed last sync attempt to [{revision}]: {attempt.message}"
        return Decision(condition=("SyncError", text))
    if tried and not auto.self_heal and not (approved and prunes):
        return NOTHING
    if tried and not writes and not prunes:
        return NOTHING  # what says Prune=false was told as skipped, and is not tried over and over
    if wipes_out and not auto.allow_empty:
        text = f"Skipping sync attempt to [{revision}]: auto-sync will wipe out all resources"
        return Decision(condition=("SyncError", text))
    return Decision(sync=True, heal=tried)
