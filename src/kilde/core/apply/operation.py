"""sync(): walks the steps of a plan. Says what to do and hears how it went; does nothing itself.

A generator of commands: the engine performs each and sends the reply back. One failing object does not hide the results of
the others: a step is done to its end, then the walk stops. Nothing is deleted when something could not be written.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.plan.change import Action, Change
from kilde.core.plan.order import Group, apply_steps, prune_steps


@dataclass(frozen=True, slots=True)
class CreateNamespace:
    """Make sure the destination namespace is there."""

    name: str


@dataclass(frozen=True, slots=True)
class ApplyAll:
    """Write these objects, all at once."""

    changes: Group


@dataclass(frozen=True, slots=True)
class AwaitServed:
    """Wait until the kinds these CustomResourceDefinitions define are served."""

    changes: Group


@dataclass(frozen=True, slots=True)
class AwaitHealthy:
    """Wait until these objects are healthy; the reply names those that will not be."""

    changes: Group


@dataclass(frozen=True, slots=True)
class DeleteAll:
    """Delete these objects, all at once."""

    changes: Group


_SOME_FAILED = "one or more synchronization tasks completed unsuccessfully"

Command = CreateNamespace | ApplyAll | AwaitServed | AwaitHealthy | DeleteAll
Reply = tuple[ObjectResult, ...]  # of AwaitServed and AwaitHealthy: only what failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """What to do: the changes of a plan, and how."""

    changes: tuple[Change, ...]
    create_namespace: str = ""  # the namespace to make sure of; "" for none
    dry_run: bool = False


def sync(order: SyncOrder) -> Generator[Command, Reply, Outcome]:
    """The walk. Returns the outcome; the results are in the order things were done."""
    done: list[ObjectResult] = []
    if order.create_namespace:
        done += yield CreateNamespace(order.create_namespace)
    prunes = prune_steps(order.changes)
    waves = apply_steps(order.changes)
    for number, (_, groups) in enumerate(waves):
        if _failures(done):
            break
        done += yield from _wave(groups, order)
        is_last = number == len(waves) - 1 and not prunes
        if _failures(done) or is_last or len(waves) == 1 or order.dry_run:
            continue
        unwell = yield AwaitHealthy(tuple(change for group in groups for change in group))
        if unwell:
            vanished = [result for result in unwell if result.hook_phase == "Error"]
            reason = f", reason: {vanished[0].message}" if vanished else ""
            return Outcome(Phase.FAILED, f"{_SOME_FAILED}{reason}", _replaced(done, unwell))
    for group in (group for groups in prunes for group in groups):
        if not _failures(done):
            done += yield DeleteAll(group)
    if _failures(done):
        return _failed(done)
    done += _held(order.changes)
    message = (
        "successfully synced (no more tasks)" if order.dry_run or not done else "successfully synced (all tasks run)"
    )
    return Outcome(Phase.SUCCEEDED, message, tuple(done))


def _wave(groups: list[Group], order: SyncOrder) -> Generator[Command, Reply, list[ObjectResult]]:
    """One wave: every kind of it is tried, whatever became of the one before."""
    done: list[ObjectResult] = []
    for group in groups:
        done += yield ApplyAll(group)
        definitions = tuple(change for change in group if change.ref.kind == "CustomResourceDefinition")
        if definitions and not order.dry_run and not _failures(done):
            done += yield AwaitServed(definitions)
    return done


def _held(changes: tuple[Change, ...]) -> list[ObjectResult]:
    return [
        ObjectResult(
            ref=c.ref,
            version=c.version,
            code=ResultCode.PRUNE_SKIPPED,
            message="ignored (no prune)" if "Prune=false" in c.why else "ignored (requires pruning)",
            verb="hold",
            hook_phase="Succeeded",
        )
        for c in changes
        if c.action is Action.HOLD
    ]


def _failures(results: list[ObjectResult]) -> list[ObjectResult]:
    return [result for result in results if result.code is ResultCode.FAILED]


def _failed(done: list[ObjectResult]) -> Outcome:
    done = [
        replace(result, hook_phase="Succeeded") if result.code is not ResultCode.FAILED else result for result in done
    ]
    reason = _failures(done)[0].message
    some = any(result.code is not ResultCode.FAILED for result in done)
    words = _SOME_FAILED if some else "one or more objects failed to apply"
    return Outcome(Phase.FAILED, f"{words}, reason: {reason}", tuple(done))


def _replaced(done: list[ObjectResult], later: tuple[ObjectResult, ...]) -> tuple[ObjectResult, ...]:
    by_ref = {result.ref: result for result in later}
    return tuple(by_ref.get(result.ref, result) for result in done)
