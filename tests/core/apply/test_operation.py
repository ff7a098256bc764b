"""The walk through an operation, played without a cluster."""

from dataclasses import replace

import pytest

from kilde.core.apply.operation import SyncOrder
from kilde.core.apply.outcome import ObjectResult, ResultCode
from kilde.core.objects.ref import GroupKind
from kilde.core.plan.change import Action
from kilde.core.plan.hooks import SyncPhase

from .stage import Stage, hook, task, told

MIGRATE = hook("migrate", "PreSync")


def test_one_step_is_over_when_it_is_written() -> None:
    stage = Stage(ends={"web": ("Running",)})
    outcome = stage.play(SyncOrder(tasks=(task("web", "Deployment"), task("b"), task("a"))))
    assert stage.lines == ["apply a,b", "apply web"]
    assert told(outcome) == [
        "Succeeded: successfully synced (all tasks run)",
        "a Sync Synced Running: a done",
        "b Sync Synced Running: b done",
        "web Sync Synced Running: web done",
    ]


def test_a_later_wave_waits_for_the_health_of_the_one_before() -> None:
    stage = Stage(ends={"web": ("Running", "Running", "Succeeded")})
    outcome = stage.play(SyncOrder(tasks=(task("web", "Deployment"), task("b", wave=1))))
    waiting = "waiting for healthy state of apps/Deployment/web"
    assert stage.lines == ["apply web", "pause", waiting, waiting, "apply b"]
    assert told(outcome)[1:] == ["web Sync Synced Succeeded: web done", "b Sync Synced Running: b done"]


def test_an_ill_wave_stops_the_waves_behind_it_after_all_of_it_has_settled() -> None:
    stage = Stage(ends={"ill": ("Failed",), "slow": ("Running", "Succeeded")})
    outcome = stage.play(SyncOrder(tasks=(task("ill", "Deployment"), task("slow", "Deployment"), task("b", wave=1))))
    assert stage.lines == ["apply ill,slow", "pause", "waiting for healthy state of apps/Deployment/slow"]
    assert told(outcome) == [
        "Failed: one or more synchronization tasks completed unsuccessfully",
        "ill Sync Synced Failed: ill done",
        "slow Sync Synced Succeeded: slow done",
    ]


def test_what_vanishes_while_it_is_waited_for_is_an_error() -> None:
    stage = Stage(vanishing=frozenset(["web"]), ends={"web": ("Running",)})
    outcome = stage.play(SyncOrder(tasks=(task("web", "Deployment"), task("b", wave=1))))
    text = "Resource apps/Deployment/web is missing, it might have been deleted"
    assert told(outcome) == [
        f"Failed: one or more synchronization tasks completed unsuccessfully, reason: {text}",
        f"web Sync SyncFailed Error: {text}",
    ]


def test_the_rest_of_a_step_is_written_though_one_object_fails_and_nothing_is_pruned() -> None:
    stage = Stage(failing=frozenset(["bad"]))
    order = SyncOrder(tasks=(task("bad"), task("good"), task("web", "Deployment"), task("old", action=Action.PRUNE)))
    outcome = stage.play(order)
    assert stage.lines == ["apply bad,good", "apply web"]
    assert told(outcome)[0] == "Failed: one or more synchronization tasks completed unsuccessfully, reason: bad refused"


def test_the_namespace_of_the_destination_is_made_before_all_waves_and_nothing_without_it() -> None:
    space = replace(task("shop", "Namespace", wave=3), namespace="shop")
    tasks = (task("a", wave=-1), space, task("b", wave=5), hook("rescue", "SyncFail"))
    stage = Stage()
    stage.play(SyncOrder(tasks=tasks))
    assert stage.lines[0] == "apply shop"
    stage = Stage(failing=frozenset(["shop"]))
    outcome = stage.play(SyncOrder(tasks=tasks))
    assert stage.lines == ["apply shop"]
    assert told(outcome)[0] == "Failed: the namespace failed to apply, reason: shop refused"


def test_rescue_begins_beside_hooks_that_still_run() -> None:
    stage = Stage(failing=frozenset(["bad"]), ends={"slow": ("Running", "Succeeded")})
    order = SyncOrder(tasks=(task("bad"), hook("slow", "Sync"), hook("rescue", "SyncFail")))
    outcome = stage.play(order)
    assert stage.lines[:3] == ["apply bad", "apply slow", "apply rescue"]
    assert told(outcome)[0] == "Failed: one or more synchronization tasks completed unsuccessfully, reason: bad refused"


def test_when_nothing_of_a_step_could_be_written_the_words_say_so() -> None:
    outcome = Stage(failing=frozenset(["a", "b"])).play(SyncOrder(tasks=(task("a"), task("b"))))
    assert told(outcome)[0] == "Failed: one or more objects failed to apply, reason: a refused,b refused"


def test_what_is_pruned_goes_last_and_is_told_first() -> None:
    stage = Stage()
    order = SyncOrder(
        tasks=(task("new"), task("old", action=Action.PRUNE), task("kept", action=Action.HOLD, kept=True))
    )
    outcome = stage.play(order)
    assert stage.lines == ["apply new", "prune old"]
    assert told(outcome)[1:] == [
        "kept Sync PruneSkipped Succeeded: ignored (no prune)",
        "old Sync Pruned Succeeded: old done",
        "new Sync Synced Running: new done",
    ]


def test_waves_of_what_is_pruned_go_backwards_in_the_place_of_the_first_and_prune_last_comes_after_everything() -> None:
    stage = Stage()
    prunes = [task(f"w{wave}", wave=wave, action=Action.PRUNE) for wave in (-1, 0, 5)]
    last = task("last", action=Action.PRUNE, prune_last=True)
    stage.play(SyncOrder(tasks=(*prunes, last, task("new", wave=2))))
    assert [line for line in stage.lines if line.startswith(("prune", "apply"))] == [
        "prune w5",
        "prune w0",
        "prune w-1",
        "apply new",
        "prune last",
    ]


def test_waves_are_swapped_with_those_of_what_goes_last() -> None:
    stage = Stage()
    last = task("last", wave=-1, action=Action.PRUNE, prune_last=True)
    stage.play(SyncOrder(tasks=(last, task("old", wave=1, action=Action.PRUNE), task("new"))))
    assert [line for line in stage.lines if line.startswith(("prune", "apply"))] == [
        "prune old",
        "apply new",
        "prune last",
    ]


def test_what_is_not_pruned_is_told_though_the_step_fails() -> None:
    stage = Stage(failing=frozenset({"bad"}))
    outcome = stage.play(SyncOrder(tasks=(task("old", action=Action.HOLD), task("bad"), task("good")), prune=False))
    assert told(outcome) == [
        "Failed: one or more synchronization tasks completed unsuccessfully, reason: bad refused",
        "old Sync PruneSkipped Succeeded: ignored (requires pruning)",
        "bad Sync SyncFailed Failed: bad refused",
        "good Sync Synced Succeeded: good done",
    ]


def test_a_later_step_waits_until_what_was_pruned_is_gone() -> None:
    stage = Stage(held={"old"})
    stage.play(SyncOrder(tasks=(task("old", action=Action.PRUNE), task("new", wave=1))))
    assert stage.lines == ["prune old", "pause", "waiting for deletion of /ConfigMap/old", "apply new"]


def test_pruning_that_asks_for_a_word_waits_for_it_before_anything_else() -> None:
    stage = Stage(confirmed_after=2)
    stage.play(SyncOrder(tasks=(task("old", action=Action.PRUNE, confirm=True), task("new"))))
    waiting = ["confirmed?", "waiting for pruning confirmation of /ConfigMap/old"]
    assert stage.lines == [*waiting, *waiting, "confirmed?", "apply new", "prune old"]


@pytest.mark.parametrize(("prune", "dry_run"), [(False, False), (False, True), (True, True)])
def test_the_word_is_waited_for_where_nothing_would_be_pruned_too(prune: bool, dry_run: bool) -> None:
    action = Action.PRUNE if prune else Action.HOLD
    stage = Stage(confirmed_after=1)
    stage.play(SyncOrder(tasks=(task("old", action=action, confirm=True), task("new")), prune=prune, dry_run=dry_run))
    waiting = ["confirmed?", "waiting for pruning confirmation of /ConfigMap/old"]
    assert stage.lines == [*waiting, "confirmed?", *(["prune old"] if prune else []), "apply new"]


def test_a_definition_comes_before_its_objects_whatever_its_wave_and_is_waited_for() -> None:
    stage = Stage()
    crd = task("gadgets", "CustomResourceDefinition", wave=3)
    order = SyncOrder(
        tasks=(crd, task("g", "Gadget"), task("ns", "Namespace", wave=9), task("z", wave=-1)),
        defines={crd.change.ref: GroupKind("", "Gadget")},
    )
    stage.play(order)
    assert [line for line in stage.lines if line != "pause"] == [
        "apply z",
        "apply gadgets",
        "served gadgets",
        "apply g",
        "apply ns",
    ]


def test_hooks_run_around_the_sync_and_are_waited_for() -> None:
    stage = Stage(ends={"migrate": ("Running", "Succeeded"), "smoke": ("Running", "Succeeded")})
    outcome = stage.play(SyncOrder(tasks=(hook("smoke", "PostSync"), task("a"), MIGRATE, hook("cry", "SyncFail"))))
    assert stage.lines == [
        "apply migrate",
        "pause",
        "waiting for completion of hook batch/Job/migrate",
        "release migrate",
        "apply a",
        "pause",
        "apply smoke",
        "waiting for completion of hook batch/Job/smoke",
        "release smoke",
    ]
    assert told(outcome) == [
        "Succeeded: successfully synced (no more tasks)",
        "migrate PreSync Synced Succeeded: migrate done",
        "a Sync Synced Succeeded: a done",
        "smoke PostSync Synced Succeeded: smoke done",
    ]


def test_a_failing_hook_stops_everything_and_runs_the_syncfail_hooks() -> None:
    stage = Stage(ends={"migrate": ("Failed",), "cry": ("Running", "Succeeded")})
    outcome = stage.play(SyncOrder(tasks=(MIGRATE, task("a"), hook("cry", "SyncFail"))))
    assert stage.lines == [
        "apply migrate",
        "pause",
        "release migrate",
        "apply cry",
        "waiting for completion of hook batch/Job/cry",
        "release cry",
    ]
    assert told(outcome)[0] == "Failed: one or more synchronization tasks completed unsuccessfully"


def test_a_hook_of_an_earlier_sync_is_deleted_before_it_is_made_again() -> None:
    stage = Stage(there={"migrate"})
    stage.play(SyncOrder(tasks=(MIGRATE,)))
    assert stage.lines == [
        "release migrate",
        "delete migrate",
        "waiting for deletion of hook batch/Job/migrate",
        "apply migrate",
        "release migrate",
    ]


def test_hooks_are_deleted_as_their_policies_say_after_that_was_written_down() -> None:
    well, ill = hook("well", "PreSync", policies=["HookSucceeded"]), hook("ill", "PreSync", policies=["HookFailed"])
    stage = Stage()
    stage.play(SyncOrder(tasks=(well, ill)))
    assert stage.lines[-2:] == ["tell successfully synced (no more tasks)", "delete well"]
    stage = Stage(ends={"ill": ("Failed",)})
    stage.play(SyncOrder(tasks=(well, ill)))
    assert stage.lines[-1] == "delete ill"


def test_an_operation_that_is_ended_lets_its_hooks_go() -> None:
    stage = Stage(ends={"migrate": ("Running",)}, stop_at="waiting for completion of hook batch/Job/migrate")
    outcome = stage.play(SyncOrder(tasks=(MIGRATE, task("a"))))
    assert stage.lines[-2:] == ["release migrate", "delete migrate"]
    assert told(outcome) == ["Failed: Operation terminated", "migrate PreSync Synced Failed: Terminated"]


def test_after_a_restart_nothing_that_is_over_runs_again() -> None:
    ref = MIGRATE.change.ref
    before = {(ref, SyncPhase.PRE_SYNC): ObjectResult(
        ref=ref, version="v1", code=ResultCode.SYNCED, message="well", verb="wait", hook_phase="Succeeded"
    )}  # fmt: skip
    stage = Stage()
    outcome = stage.play(SyncOrder(tasks=(MIGRATE, task("a")), before=before))
    assert stage.lines == ["release migrate", "apply a"]
    assert told(outcome)[1] == "migrate PreSync Synced Succeeded: well"


def test_a_hook_that_this_attempt_made_before_it_was_cut_off_is_taken_up_though_nothing_was_told() -> None:
    stage = Stage(there={"migrate"}, ours=frozenset(["migrate"]), ends={"migrate": ("Running", "Running", "Succeeded")})
    outcome = stage.play(SyncOrder(tasks=(MIGRATE, task("a"))))
    assert stage.lines == ["pause", "waiting for completion of hook batch/Job/migrate", "release migrate", "apply a"]
    assert told(outcome)[1] == "migrate PreSync Synced Succeeded: migrate created"


def test_a_hook_that_had_failed_before_the_attempt_was_cut_off_is_not_tried_again() -> None:
    ref = MIGRATE.change.ref
    before = {(ref, SyncPhase.PRE_SYNC): ObjectResult(
        ref=ref, version="v1", code=ResultCode.SYNCED, message="no luck", verb="wait", hook_phase="Failed"
    )}  # fmt: skip
    stage = Stage()
    outcome = stage.play(SyncOrder(tasks=(MIGRATE, task("a"), hook("cry", "SyncFail")), before=before))
    assert stage.lines == ["release migrate", "apply cry", "release cry"]
    assert told(outcome)[0] == "Failed: one or more synchronization tasks completed unsuccessfully"


def test_a_dry_run_tries_everything_once() -> None:
    stage = Stage()
    order = SyncOrder(tasks=(task("old", action=Action.PRUNE), task("a"), task("b", wave=1), MIGRATE), dry_run=True)
    outcome = stage.play(order)
    assert stage.lines == ["prune old", "apply migrate", "apply a,b"]
    assert told(outcome)[0] == "Succeeded: successfully synced (no more tasks)"


def test_the_namespace_comes_first_and_nothing_follows_when_it_cannot_be_made() -> None:
    stage = Stage()
    stage.play(SyncOrder(tasks=(task("a"),), create_namespace="shop"))
    assert stage.lines == ["namespace shop", "apply a"]


def test_nothing_is_looked_at_or_done_while_a_sync_window_is_in_the_way() -> None:
    stage = Stage(ends={"web": ("Running", "Succeeded")}, closed_at=frozenset({2, 3, 4}))
    outcome = stage.play(SyncOrder(tasks=(task("web", "Deployment"), task("b", wave=1))))
    blocked, waiting = "Sync operation blocked by sync window", "waiting for healthy state of apps/Deployment/web"
    assert stage.lines == ["apply web", "pause", blocked, blocked, blocked, waiting, "apply b"]
    assert told(outcome)[0] == "Succeeded: successfully synced (all tasks run)"


def test_an_operation_that_a_sync_window_blocks_can_be_ended() -> None:
    blocked = "Sync operation blocked by sync window"
    stage = Stage(ends={"migrate": ("Running",)}, closed_at=frozenset(range(2, 9)), stop_at=blocked)
    outcome = stage.play(SyncOrder(tasks=(MIGRATE, task("b"))))
    assert stage.lines == ["apply migrate", "pause", blocked, "release migrate", "delete migrate"]
    assert told(outcome) == ["Failed: Operation terminated", "migrate PreSync Synced Failed: Terminated"]


def test_what_cannot_be_written_whatever_the_cluster_says_ends_it_before_the_first_write() -> None:
    stage = Stage(failing=frozenset(["bad", "worse"]))
    tasks = (
        task("a"),
        task("bad", wave=1, fault="cannot be decoded"),
        task("worse", "Deployment", fault="nor this"),
        task("old", action=Action.PRUNE),
        hook("clean", "SyncFail"),
    )
    outcome = stage.play(SyncOrder(tasks=tasks))
    assert stage.lines == ["apply worse", "apply bad"]  # whose writer asks no cluster
    assert told(outcome) == [
        "Failed: one or more objects failed to apply (dry run)",
        "worse Sync SyncFailed Failed: worse refused",
        "bad Sync SyncFailed Failed: bad refused",
    ]


def test_the_destinations_namespace_of_git_is_made_before_that() -> None:
    stage = Stage(failing=frozenset(["bad"]))
    space = replace(task("shop", "Namespace"), namespace="shop")
    other = replace(task("other", "Namespace"), namespace="shop")
    stage.play(SyncOrder(tasks=(space, other, task("bad", fault="cannot be decoded"))))
    assert stage.lines == ["apply shop", "apply bad"]
