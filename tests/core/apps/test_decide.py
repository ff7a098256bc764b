"""When an application is synced by itself: one attempt a revision, and nothing that would take all of it away."""

from typing import Any

import pytest

from kilde.core.apps.application import read_application
from kilde.core.apps.decide import NOTHING, Decision, automatic
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.planner import Plan

SOURCE = {"repoURL": "https://example.com/shop.git", "path": "app"}
GONE = Plan(changes=(Change(ref=ObjectRef("", "ConfigMap", "shop", "a"), action=Action.PRUNE, why="", version="v1"),))
WIPES = Decision(condition=("SyncError", "Skipping sync attempt to [two]: auto-sync will wipe out all resources"))


def decide(
    automated: dict[str, Any], *, plan: Plan = GONE, wipes_out: bool = True, phase: str = "", revision: str = "one"
) -> Decision:
    """Git wants nothing at `two`; the last operation was to `revision`."""
    result = {"syncResult": {"revision": revision, "source": SOURCE}, "phase": phase, "message": "it failed"}
    raw = {
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {
            "source": SOURCE,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            "syncPolicy": {"automated": {"prune": True, **automated}},
        },
        "status": {"operationState": result} if phase else {},
    }
    return automatic(read_application(raw), plan, revision="two", wipes_out=wipes_out)


@pytest.mark.parametrize(
    ("automated", "last", "decision"),
    [
        pytest.param({}, {}, WIPES, id="never synced"),
        pytest.param({}, {"phase": "Succeeded"}, WIPES, id="another revision was synced"),
        pytest.param({"allowEmpty": True}, {"phase": "Succeeded"}, Decision(sync=True), id="it may be empty"),
        pytest.param({}, {"phase": "Succeeded", "revision": "two"}, NOTHING, id="this one was synced without pruning"),
        pytest.param({"selfHeal": True}, {"phase": "Succeeded", "revision": "two"}, WIPES, id="and heals itself"),
        pytest.param(
            {},
            {"phase": "Failed", "revision": "two"},
            Decision(condition=("SyncError", "Failed last sync attempt to [two]: it failed")),
            id="this one failed",
        ),
    ],
)
def test_nothing_is_wiped_out_unasked(automated: dict[str, Any], last: dict[str, str], decision: Decision) -> None:
    assert decide(automated, **last) == decision


KEPT = Change(ref=ObjectRef("", "ConfigMap", "shop", "a"), action=Action.HOLD, why="", version="v1", kept=True)


@pytest.mark.parametrize(
    ("automated", "last", "decision"),
    [
        pytest.param({}, {"phase": "Succeeded"}, Decision(sync=True), id="once a revision, which tells it as skipped"),
        pytest.param({"selfHeal": True}, {"phase": "Succeeded", "revision": "two"}, NOTHING, id="not over and over"),
        pytest.param({"prune": False}, {"phase": "Succeeded"}, NOTHING, id="not where nothing is pruned"),
    ],
)
def test_what_is_never_pruned_is_synced(automated: dict[str, Any], last: dict[str, str], decision: Decision) -> None:
    assert decide(automated, plan=Plan(changes=(KEPT,)), wipes_out=False, **last) == decision
