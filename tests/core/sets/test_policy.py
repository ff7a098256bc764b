"""What an installation says of all its sets, with Argo CD's keys."""

from dataclasses import replace
from typing import Any

import pytest

from core.sets.given import World, a_set
from kilde.core.sets.generating import generate, requeue_after
from kilde.core.sets.policy import ANYTHING, SetsPolicy, read_policy

KEY = "applicationsetcontroller."


def read(**keys: str) -> SetsPolicy:
    return read_policy({KEY + key.replace("_", "."): value for key, value in keys.items()})


def test_without_keys_everything_is_as_the_sets_say() -> None:
    assert read_policy({}) == ANYTHING


NO_FORGE = "failed to select pull request service provider"


def test_forges_that_are_not_allowed_are_not_asked() -> None:
    def error(policy: SetsPolicy, **block: str) -> tuple[str, int]:
        world = World()
        pull = {"pullRequest": {"github": {"owner": "o", "repo": "r", **block}, "continueOnRepoNotFoundError": True}}
        return generate(a_set({"generators": [pull]}), world, policy).error, len(world.asked)

    some = read(allowed_scm_providers="https://git.example, https://other.example")
    assert error(some, api="https://git.example") == ("", 1)
    assert error(some) == ("", 1)  # as Argo CD: the forge's own address needs no leave
    told, asked = error(some, api="https://evil.example")
    assert (asked, "must use one of the following: https://git.example, https://other.example" in told) == (0, True)
    assert error(read(enable_scm_providers="false")) == (f"{NO_FORGE}: scm providers are disabled", 0)


def test_a_set_of_another_namespace_asks_no_forge_before_the_owner_says_which() -> None:
    def error(policy: SetsPolicy) -> str:
        pull = {"pullRequest": {"github": {"owner": "o", "repo": "r"}, "continueOnRepoNotFoundError": True}}
        return generate(a_set({"generators": [pull]}), World(), replace(policy, guest=True)).error

    assert error(ANYTHING) == (
        f"{NO_FORGE}: scm provider not allowed: a set outside of the controller's namespace may ask none "
        "until applicationsetcontroller.allowed.scm.providers says which"
    )
    assert error(read(allowed_scm_providers="https://git.example")) == ""


def test_rollouts_can_be_switched_off_for_all() -> None:
    strategy = {"type": "RollingSync", "rollingSync": {"steps": [{}]}, "deletionOrder": "Reverse"}
    owner = a_set({"generators": [], "strategy": strategy})
    off = read(enable_progressive_syncs="false").over(owner)
    assert (read().over(owner).rolling, off.rolling, off.deletes_in_reverse) == (True, False, False)


@pytest.mark.parametrize(("written", "listed"), [("", 5000), ("0", 5000), ("3", 3), ("9" * 5000, 5000), ("x", 5000)])
def test_how_many_applications_a_status_lists(written: str, listed: int) -> None:
    assert read(status_max_resources_count=written).resources == listed


@pytest.mark.parametrize(
    ("written", "seconds"), [("", 180), ("90s", 90), ("1h30m", 5400), ("500ms", 180), ("9000h", 180), ("soon", 180)]
)
def test_how_often_git_is_looked_at_where_a_set_does_not_say(written: str, seconds: float) -> None:
    every = read(requeue_after=written).every
    pull: dict[str, Any] = {"pullRequest": {"github": {"owner": "o", "repo": "r"}}}
    assert requeue_after([{"git": {}}], unsaid=every) == seconds
    assert requeue_after([{"merge": {"generators": [{"clusterDecisionResource": {}}]}}], unsaid=every) == seconds
    assert requeue_after([{"git": {"requeueAfterSeconds": 20}}, pull], unsaid=every) == 20
    assert requeue_after([pull], unsaid=every) == 1800, "forges have their own"


def test_forges_that_people_run_themselves_are_trusted_by_the_installations_authority() -> None:
    blocks: dict[str, dict[str, str]] = {
        "gitlab": {"project": "p", "api": "https://git.example"},
        "bitbucketServer": {"project": "p", "repo": "r", "api": "https://git.example"},
        "github": {"owner": "o", "repo": "r"},
        "gitea": {"owner": "o", "repo": "r", "api": "https://git.example"},
    }
    found = {}
    for name, block in blocks.items():
        world = World()
        generate(a_set({"generators": [{"pullRequest": {name: block}}]}), world, read(scm_root_ca_path="/tls/ca.pem"))
        found[name] = {request.authority_file for request in world.asked}
    assert found == {"gitlab": {"/tls/ca.pem"}, "bitbucketServer": {"/tls/ca.pem"}, "github": {""}, "gitea": {""}}


@pytest.mark.parametrize(
    ("keys", "own", "obeyed"),
    [
        ({}, "create-only", "create-only"),
        ({"policy": "create-update"}, "sync", "create-update"),
        ({"policy": "create-update"}, "", "create-update"),
        ({"policy": "create-update", "enable_policy_override": "true"}, "sync", "sync"),
        ({"policy": "create-update", "enable_policy_override": "true"}, "", "create-update"),
        ({"policy": "nonsense"}, "sync", "create-only"),
    ],
)
def test_the_policy_of_the_installation_and_of_a_set(keys: dict[str, str], own: str, obeyed: str) -> None:
    policy = {"syncPolicy": {"applicationsSync": own}} if own else {}
    assert read(**keys).over(a_set({"generators": [], **policy})).policy == obeyed


def test_fields_that_all_sets_preserve() -> None:
    owner = a_set({"generators": [], "preservedFields": {"annotations": ["a"]}})
    policy = read_policy({KEY + "global.preserved.annotations": "b, c", KEY + "global.preserved.labels": "d"})
    assert (policy.over(owner).preserved_annotations, policy.over(owner).preserved_labels) == (("a", "b", "c"), ("d",))
