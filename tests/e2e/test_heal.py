"""Heals that a cluster does not let through, on both clusters."""

import pytest

from e2e.shop import manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_a_heal_that_a_policy_refuses_ends_as_a_failed_sync_in_the_policys_words(stage: Stage) -> None:
    place = f"{stage.space}-x"[-60:].lstrip("-")
    sha = stage.create_repository({f"app/{name}.json": manifest("ConfigMap", name, data={"k": "git"}) for name in "ab"})
    stage.start()
    automated = {"prune": True, "selfHeal": True}
    stage.application(
        "shop",
        "app",
        place,
        syncPolicy={"automated": automated, "retry": {"limit": 0}, "syncOptions": ["CreateNamespace=true"]},
    )
    stage.until(lambda: stage.is_well("shop", sha), "synced")
    refuse(stage, place)
    try:
        stage.kubectl("patch", "configmap", "a", "-n", place, "--type=merge", "-p", '{"data": {"k": "hand"}}')
        stage.until(lambda: stage.status("shop")["operationState"]["phase"] == "Failed", "the sync fails")
        stage.until(lambda: stage.conditions("shop"), "told")
    finally:
        stage.kubectl("delete", "validatingadmissionpolicybindings,validatingadmissionpolicies", place)
    state = stage.status("shop")["operationState"]
    said = (
        f"one or more objects failed to apply, reason: configmaps \"a\" is forbidden: ValidatingAdmissionPolicy '{place}' "
        f"with binding '{place}' denied request: only by hand"
    )
    assert (state["message"], state["operation"]["initiatedBy"]) == (said, {"automated": True})
    assert state["operation"]["sync"]["resources"] == [{"kind": "ConfigMap", "name": "a"}]
    assert stage.conditions("shop") == [f"SyncError: Failed last sync attempt to [{sha}]: {said}"]

    stage.until(lambda: may_be_put_back(stage, place), "the policy is no longer in force")
    sha = stage.commit({"app/b.json": manifest("ConfigMap", "b", data={"k": "newer"})})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha), "another commit is synced")
    assert [stage.get("configmap", name, "-n", place)["data"] for name in "ab"] == [{"k": "git"}, {"k": "newer"}]  # type: ignore[index]
    assert stage.conditions("shop") == []


def refuse(stage: Stage, place: str) -> None:
    """From now on nobody may give a ConfigMap of that namespace what Git has for it."""
    rules = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"]}
    here = {"matchLabels": {"kubernetes.io/metadata.name": place}}
    policy = {
        "matchConstraints": {"resourceRules": [rules], "namespaceSelector": here},
        "validations": [{"expression": "!has(object.data) || object.data.k != 'git'", "message": "only by hand"}],
    }
    group = "admissionregistration.k8s.io/v1"
    bound = {"policyName": place, "validationActions": ["Deny"]}
    for kind, spec in (("ValidatingAdmissionPolicy", policy), ("ValidatingAdmissionPolicyBinding", bound)):
        stage.kubectl("apply", "-f", "-", stdin=manifest(kind, place, group, spec=spec))
    stage.until(lambda: not may_be_put_back(stage, place), "the policy is in force")


def may_be_put_back(stage: Stage, place: str) -> bool:
    """Asked without writing: a real cluster takes up policies, and their end, after a while."""
    patch = '{"metadata": {"annotations": {"probe": "1"}}, "data": {"k": "git"}}'
    probe = ("patch", "configmap", "a", "-n", place, "--type=merge", "--dry-run=server", "-o", "name", "-p", patch)
    return stage.kubectl(*probe, codes=(0, 1)) != ""
