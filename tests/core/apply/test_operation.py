"""The walk through a plan, played without a cluster."""

from collections.abc import Iterable

from kilde.core.apply.operation import (
    ApplyAll,
    AwaitHealthy,
    AwaitServed,
    Command,
    CreateNamespace,
    DeleteAll,
    SyncOrder,
    sync,
)
from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change


def change(name: str, kind: str = "ConfigMap", *, wave: int = 0, action: Action = Action.CREATE) -> Change:
    group = "apiextensions.k8s.io" if kind == "CustomResourceDefinition" else ""
    return Change(
        ref=ObjectRef(group, kind, "shop", name), action=action, why="pruning is off", version="v1", wave=wave
    )


def said(command: Command) -> str:
    if isinstance(command, CreateNamespace):
        return f"namespace {command.name}"
    word = {ApplyAll: "apply", AwaitHealthy: "await", AwaitServed: "served", DeleteAll: "delete"}[type(command)]
    return f"{word} {','.join(c.ref.name for c in command.changes)}"


def play(order: SyncOrder, *, failing: Iterable[str] = (), unwell: Iterable[str] = ()) -> tuple[list[str], Outcome]:
    failing, unwell = set(failing), set(unwell)
    walk, commands = sync(order), []
    try:
        command = next(walk)
        while True:
            commands.append(said(command))
            command = walk.send(_reply(command, failing, unwell))
    except StopIteration as end:
        return commands, end.value


def _reply(command: Command, failing: set[str], unwell: set[str]) -> tuple[ObjectResult, ...]:
    if isinstance(command, (CreateNamespace, AwaitServed)):
        return ()
    if isinstance(command, AwaitHealthy):
        ill = [c for c in command.changes if c.ref.name in unwell]
        return tuple(_result(c, ResultCode.SYNCED, "crashed", "Failed") for c in ill)
    code = ResultCode.PRUNED if isinstance(command, DeleteAll) else ResultCode.SYNCED
    return tuple(
        _result(c, ResultCode.FAILED if c.ref.name in failing else code, f"said of {c.ref.name}")
        for c in command.changes
    )


def _result(change: Change, code: ResultCode, message: str, phase: str = "Running") -> ObjectResult:
    return ObjectResult(ref=change.ref, version="v1", code=code, message=message, verb="x", hook_phase=phase)


def names(outcome: Outcome) -> list[str]:
    return [f"{result.ref.name} {result.code}" for result in outcome.results]


def test_one_wave_is_done_as_soon_as_it_is_applied() -> None:
    commands, outcome = play(SyncOrder(changes=(change("b"), change("a"), change("s", "Service"))))
    assert commands == ["apply a,b", "apply s"]
    assert (outcome.phase, outcome.message) == (Phase.SUCCEEDED, "successfully synced (all tasks run)")


def test_the_next_wave_waits_for_the_health_of_the_one_before() -> None:
    commands, _ = play(SyncOrder(changes=(change("a"), change("b", wave=1)), create_namespace="shop"))
    assert commands == ["namespace shop", "apply a", "await a", "apply b"]


def test_an_ill_wave_stops_the_waves_behind_it() -> None:
    commands, outcome = play(SyncOrder(changes=(change("a"), change("b", wave=1))), unwell=["a"])
    assert commands == ["apply a", "await a"]
    assert (outcome.phase, outcome.message) == (
        Phase.FAILED,
        "one or more synchronization tasks completed unsuccessfully",
    )
    assert outcome.results[0].message == "crashed"


def test_a_refusal_does_not_hide_the_results_of_the_others_but_nothing_is_deleted_after_it() -> None:
    changes = (change("bad"), change("s", "Service"), change("old", action=Action.PRUNE), change("later", wave=1))
    commands, outcome = play(SyncOrder(changes=changes), failing=["bad"])
    assert commands == ["apply bad", "apply s"]
    assert names(outcome) == ["bad SyncFailed", "s Synced"]
    assert outcome.message == "one or more synchronization tasks completed unsuccessfully, reason: said of bad"


def test_when_nothing_succeeded_the_message_says_that_objects_failed_to_apply() -> None:
    _, outcome = play(SyncOrder(changes=(change("bad"),)), failing=["bad"])
    assert outcome.message == "one or more objects failed to apply, reason: said of bad"


def test_kinds_are_awaited_before_their_objects() -> None:
    commands, _ = play(SyncOrder(changes=(change("gadgets", "CustomResourceDefinition"), change("g", "Gadget"))))
    assert commands == ["apply gadgets", "served gadgets", "apply g"]


def test_what_goes_goes_last_and_what_may_not_go_is_told() -> None:
    changes = (change("old", action=Action.PRUNE), change("held", action=Action.HOLD), change("new"))
    commands, outcome = play(SyncOrder(changes=changes))
    assert commands == ["apply new", "await new", "delete old"] or commands == ["apply new", "delete old"]
    assert names(outcome) == ["new Synced", "old Pruned", "held PruneSkipped"]


def test_a_dry_run_waits_for_nothing() -> None:
    commands, outcome = play(SyncOrder(changes=(change("a"), change("b", wave=1)), dry_run=True))
    assert commands == ["apply a", "apply b"]
    assert outcome.message == "successfully synced (no more tasks)"
