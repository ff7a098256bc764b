"""Which deletions of a plan are held, why, and under which name a person releases them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kilde.core.plan.budget import Limit
from kilde.core.plan.change import Action, Change
from kilde.core.plan.digest import plan_digest
from kilde.core.plan.planner import Plan

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """What a plan would delete that is not on its way out already, and the digest by which that is approved.

    The digest is bound to what Git wants of the application, not to the commit: a commit that changes nothing here, the one with the
    approval among them, leaves it as it is.
    """

    changes: tuple[Change, ...]
    digest: str
    total: int  # objects of the application that there are

    @property
    def weights(self) -> dict[str, int]:
        """How many objects go with each, by uid."""
        return {change.live_uid: change.takes for change in self.changes}


NO_DELETIONS = Deletions(changes=(), digest="", total=0)


def deletions_of(plan: Plan, *, application: str, rendered: str, asked: bool = False) -> Deletions:
    """`asked`: a person has asked for what may not be pruned automatically, so that counts as well."""
    found = tuple(
        change
        for change in plan.changes
        if not change.going
        and not change.hook
        and (change.action is Action.PRUNE or _waits(change) or (asked and _is_off(change)))
    )
    if not found:
        return NO_DELETIONS
    pruned = [replace(change, action=Action.PRUNE) for change in found]
    digest = plan_digest(application=application, revision="", rendered=rendered, changes=pruned)
    total = sum(1 for change in plan.changes if change.action is not Action.CREATE and not change.hook)
    return Deletions(changes=found, digest=digest, total=total)


def _waits(change: Change) -> bool:
    return change.action is Action.HOLD and change.over


def _is_off(change: Change) -> bool:
    return change.action is Action.HOLD and not change.kept and not change.forbidden


def over_limits(found: Deletions, limits: Iterable[Limit]) -> str:
    """Why one of the limits holds these deletions, or a restored object among them does; "" where none does."""
    restored = [change for change in found.changes if change.restored]
    if restored:
        return f"{restored[0].ref} was put back by kilde app undo, and Git does not have it again yet"
    special = [f"{change.ref}: {change.dear}" for change in found.changes if change.dear]
    weights = found.weights.values()
    reasons = (limit.excess(weights, special, total=found.total) for limit in limits)
    return next((reason for reason in reasons if reason), "")


def hold(plan: Plan, found: Deletions) -> Plan:
    """The plan without these deletions: everything else goes on."""
    refs = {change.ref for change in found.changes}
    return Plan(
        changes=tuple(
            replace(change, action=Action.HOLD, over=True, why="no longer in Git, but held: over the deletion budget")
            if change.ref in refs and change.action is Action.PRUNE
            else change
            for change in plan.changes
        )
    )


def told(found: Deletions, reason: str, losses: Mapping[str, str], *, name: str) -> str:
    """The sentences of the condition. `losses` says by uid what becomes of the data behind a claim."""
    shown = [_told(change, losses.get(change.live_uid, "")) for change in found.changes[:_SHOWN]]
    more = f" and {len(found.changes) - _SHOWN} more" if len(found.changes) > _SHOWN else ""
    return (
        f"{reason}. Nothing is deleted; these would be: {', '.join(shown)}{more}. "
        f"If that is meant: kilde app approve {name} --plan {found.digest}, "
        f"or the annotation {APPROVE}: {found.digest} of the Application in Git"
    )


def _told(change: Change, loss: str) -> str:
    notes = [note for note in (f"takes {change.takes - 1} objects with it" if change.takes > 1 else "", loss) if note]
    return f"{change.ref}{f' ({notes[0]})' if notes else ''}"


def digest_in(message: str) -> str:
    """The digest that the condition's message names; "" where it names none."""
    found = re.search(r"--plan ([0-9a-f]{64})\b", message)
    return found[1] if found else ""


CONDITION = "DeletionHeldWarning"
APPROVE = "kilde.dev/approve-deletions"
"""Annotation of an Application, in Git: digests of held deletions that may go, separated by commas or blanks."""
BY_ANNOTATION = f"annotation {APPROVE}"
APPROVED = "kilde.dev/approved-deletions"
"""The same as `kilde app approve` writes it: one digest, a blank, and who approved."""
HELD = "kilde.dev/held-deletions"
"""The digest of deletions that the fleet's budget held; written by the controller, so that they stay held when its time is over."""


def approvals(annotations: Mapping[str, str]) -> dict[str, str]:
    """Digests that were approved, and by whom."""
    found = dict.fromkeys(annotations.get(APPROVE, "").replace(",", " ").split(), BY_ANNOTATION)
    digest, _, who = annotations.get(APPROVED, "").partition(" ")
    return {**found, digest: who or "unknown"} if digest else found
