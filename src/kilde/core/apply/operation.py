"""sync(): walks the steps of a plan. Says what to do and hears how it went; does nothing itself.

A generator of commands: the engine performs each and sends the reply back. One failing object does not hide the results of
the others: a step is done to its end, then the walk stops. Nothing is deleted when something could not be written.
"""

from collections.abc import Generator
from dataclasses import dataclass

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


Command = CreateNamespace | ApplyAll | AwaitServed | AwaitHealthy | DeleteAll
Reply = tuple[ObjectResult, ...]  # of AwaitServed and AwaitHealthy: only what failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """What to do: the changes of a plan, and how."""

    changes: tuple[Change, ...]
    create_namespace: str = ""  # the namespace to make sure of; "" for none
    dry_run: bool = False
    wait_between_waves: bool = True


def sync(order: SyncOrder) -> Generator[Command, Reply, Outcome]:
    """The walk. Returns the outcome; the results are in the order things were done."""
    done: list[ObjectResult] = []
    if order.create_namespace:
        done += yield CreateNamespace(order.create_namespace)
        if _failures(done):
            return _failed(done)
    steps = apply_steps(order.changes)
    for number, (_wave, groups) in enumerate(steps):
        wave_results: list[ObjectResult] = []
        for group in groups:
            wave_results += yield ApplyAll(group)
            definitions = tuple(c for c in group if c.ref.kind == "CustomResourceDefinition")
            if definitions and not order.dry_run and not _failures(wave_results):
                wave_results += yield AwaitServed(definitions)
        done += wave_results
        if _failures(wave_results):
            return _failed(done)
        last = number == len(steps) - 1 and not prune_steps(order.changes)
        if not last and len(steps) > 1 and order.wait_between_waves and not order.dry_run:
            unwell = yield AwaitHealthy(tuple(c for group in groups for c in group))
            if unwell:
                done = _replace(done, unwell)
                return Outcome(Phase.FAILED, "one or more synchronization tasks completed unsuccessfully", tuple(done))
    for groups in prune_steps(order.changes):
        for group in groups:
            done += yield DeleteAll(group)
        if _failures(done):
            return _failed(done)
    done += _held(order.changes)
    message = (
        "successfully synced (no more tasks)" if order.dry_run or not done else "successfully synced (all tasks run)"
    )
    return Outcome(Phase.SUCCEEDED, message, tuple(done))


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
    reason = _failures(done)[0].message
    some = any(result.code is not ResultCode.FAILED for result in done)
    words = (
        "one or more synchronization tasks completed unsuccessfully" if some else "one or more objects failed to apply"
    )
    return Outcome(Phase.FAILED, f"{words}, reason: {reason}", tuple(done))


def _replace(done: list[ObjectResult], later: tuple[ObjectResult, ...]) -> list[ObjectResult]:
    by_ref = {result.ref: result for result in later}
    return [by_ref.get(result.ref, result) for result in done]
