"""Progressive syncs: steps, states, bounds, and what is wrong with a strategy."""

from typing import Any

import pytest

from core.sets.given import a_set
from kilde.core.sets.application_set import ApplicationSet
from kilde.core.sets.rollout import advance, steps_of, with_sync, without_automation
from kilde.core.sets.status import merged

NOW = 1_800_000_000.0
STAMP = "2027-01-15T08:00:00Z"


def owner(*steps: dict[str, Any], status: list[dict[str, Any]] | None = None) -> ApplicationSet:
    found = a_set({"generators": [], "strategy": {"type": "RollingSync", "rollingSync": {"steps": list(steps)}}})
    import dataclasses

    return dataclasses.replace(found, status={"applicationStatus": status or []})


def step(env: str, **more: Any) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "env", "operator": "In", "values": [env]}], **more}


def app(name: str, env: str, sync: str = "OutOfSync", health: str = "Healthy", **status: Any) -> dict[str, Any]:
    said = {"sync": {"status": sync, "revision": "r1"}, "health": {"status": health}, "reconciledAt": STAMP, **status}
    return {"metadata": {"name": name, "labels": {"env": env}}, "spec": {"project": "default"}, "status": said}


def state(name: str, status: str, step: str = "1", message: str = "m") -> dict[str, Any]:
    return {
        "application": name,
        "status": status,
        "step": step,
        "message": message,
        "targetRevisions": ["r1"],
        "lastTransitionTime": STAMP,
    }


def states(found: Any) -> dict[str, str]:
    return {each["application"]: each["status"] for each in found.statuses}


def test_only_the_first_step_that_is_not_done_may_sync() -> None:
    apps = [app("d", "dev"), app("p", "prod")]
    first = advance(owner(step("dev"), step("prod")), apps, apps, NOW)
    assert (states(first), first.to_sync) == ({"d": "Pending", "p": "Waiting"}, {"d"})
    apps = [app("d", "dev", "Synced"), app("p", "prod")]
    done = advance(
        owner(step("dev"), step("prod"), status=[state("d", "Healthy"), state("p", "Waiting", "2")]), apps, apps, NOW
    )
    assert (states(done), done.to_sync) == ({"d": "Healthy", "p": "Pending"}, {"p"})


@pytest.mark.parametrize(
    ("most", "pending"), [(None, 4), (2, 2), (0, 0), ("50%", 2), ("10%", 1), ("0%", 0), ("100%", 4)]
)
def test_max_update_bounds_how_many_are_under_way(most: Any, pending: int) -> None:
    apps = [app(f"a{n}", "dev") for n in range(4)]
    found = advance(owner(step("dev", **({} if most is None else {"maxUpdate": most}))), apps, apps, NOW)
    assert len(found.to_sync) == pending
    under_way = [state("a0", "Progressing"), *(state(f"a{n}", "Waiting") for n in range(1, 4))]
    if most == 2:
        assert len(advance(owner(step("dev", maxUpdate=2), status=under_way), apps, apps, NOW).to_sync) == 1


def test_the_states_of_one_application() -> None:
    def after(was: str, **now: Any) -> str:
        one = [app("a", "dev", **now)]
        return states(advance(owner(step("dev"), status=[state("a", was)]), one, one, NOW))["a"]

    ran = {"operationState": {"phase": "Running", "startedAt": STAMP}}
    assert after("Pending") == "Pending"
    assert after("Pending", **ran) == "Progressing"
    assert after("Pending", conditions=[{"type": "InvalidSpecError"}]) == "Progressing"
    assert after("Progressing", sync="Synced", health="Degraded") == "Progressing"
    assert after("Progressing", sync="Synced") == "Healthy"
    assert after("Healthy", sync="OutOfSync") == "Healthy"
    assert after("Waiting", sync="Synced", health="Progressing") == "Progressing"


def test_a_new_revision_waits_until_all_were_looked_at_since() -> None:
    moved = [app("a", "dev")]
    moved[0]["status"]["sync"]["revision"] = "r2"
    found = advance(owner(step("dev"), status=[state("a", "Healthy")]), moved, moved, NOW + 60)
    assert (states(found), found.to_refresh, found.to_sync) == ({"a": "Waiting"}, ("a",), frozenset())
    assert found.statuses[0]["targetRevisions"] == ["r2"]
    moved[0]["status"]["reconciledAt"] = "2027-01-15T08:02:00Z"
    again = advance(owner(step("dev"), status=[dict(each) for each in found.statuses]), moved, moved, NOW + 120)
    assert (states(again), again.to_sync) == ({"a": "Pending"}, {"a"})


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([step("dev"), step("prod")], ""),
        ([step("dev"), step("dev"), step("prod")], "Application 'd' is selected by multiple steps: (1-2)"),
        ([step("dev"), step("prod"), step("none")], "Steps [3] have no applications matching their criteria"),
        ([step("dev"), step("prod", maxUpdate="some")], "Step 2 has an invalid maxUpdate value: some"),
        (
            [{"matchExpressions": [{"key": "env", "operator": "Gt", "values": ["1"]}]}, step("prod")],
            "Step 1 has invalid matchExpression operators: Gt. Supported Operators are 'In' and 'NotIn'",
        ),
    ],
)
def test_what_is_wrong_with_the_steps_is_told(steps: list[dict[str, Any]], words: str) -> None:
    apps = [app("d", "dev"), app("p", "prod")]
    said = advance(owner(*steps), apps, apps, NOW).conditions
    told = [each for each in said if each["type"] == "InvalidRolloutConfig"]
    assert [(each["status"], each["message"]) for each in told] == ([("True", words)] if words else [])
    kept = merged(merged([], said, rolling=True, now=NOW), said[-1:], rolling=True, now=NOW)
    assert [each["type"] for each in kept] == [
        "RolloutProgressing"
    ]  # what was wrong is no longer said where it is mended


def test_a_rollout_without_steps_is_done_and_leaves_automation_alone() -> None:
    one = [app("d", "dev")]
    found = advance(owner(), one, one, NOW)
    assert (found.statuses, found.to_sync) == ((), frozenset())
    assert [each["message"] for each in found.conditions] == ["ApplicationSet Rollout has completed"]


def test_not_in_and_missing_labels() -> None:
    rule = {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["dev"]}]}
    bare = {"metadata": {"name": "bare"}, "spec": {}}
    assert steps_of(owner(rule), [app("d", "dev"), app("p", "prod"), bare]).members == [["p", "bare"]]


def test_the_operation_that_syncs_one() -> None:
    body = {
        "metadata": {"name": "a"},
        "spec": {"syncPolicy": {"automated": {"prune": True}, "syncOptions": ["X=true"]}},
    }
    assert without_automation(body)["spec"]["syncPolicy"]["automated"] == {"prune": True, "enabled": False}
    operation = with_sync(body, ["r1"])["operation"]
    assert operation["sync"] == {"revision": "r1", "syncOptions": ["X=true"], "prune": True}
    assert operation["retry"] == {"limit": 5}
    assert operation["initiatedBy"] == {"username": "applicationset-controller", "automated": True}
