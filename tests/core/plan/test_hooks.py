"""Hooks as annotations declare them."""

import pytest

from kilde.core.plan.hooks import hook_spec, is_hook, is_skipped

ARGO, HELM = "argocd.argoproj.io/hook", "helm.sh/hook"


@pytest.mark.parametrize(
    ("annotations", "hook", "phases"),
    [
        ({}, False, []),
        ({ARGO: "PreSync"}, True, ["PreSync"]),
        ({ARGO: "PreSync, PostSync"}, True, ["PreSync", "PostSync"]),
        ({ARGO: "Sync,Sync"}, True, ["Sync"]),
        ({ARGO: "nonsense"}, True, []),
        ({ARGO: "Skip"}, False, []),
        ({HELM: "pre-install,pre-upgrade"}, True, ["PreSync"]),
        ({HELM: "post-install"}, True, ["PostSync"]),
        ({HELM: "test"}, True, []),
        ({HELM: "post-rollback"}, True, []),
        ({HELM: "crd-install"}, False, []),
        ({ARGO: "Sync", HELM: "pre-install"}, True, ["Sync"]),
        ({HELM: "pre-delete"}, True, ["PreDelete"]),
    ],
)
def test_what_is_a_hook_and_when_it_runs(annotations: dict[str, str], hook: bool, phases: list[str]) -> None:
    assert is_hook(annotations) is hook
    if hook:
        assert [str(phase) for phase in hook_spec(annotations).phases] == phases


def policies(annotations: dict[str, str]) -> set[str]:
    return {policy.name for policy in hook_spec(annotations).policies}


def test_delete_policies_of_both_kinds_add_up_and_one_is_the_default() -> None:
    assert policies({ARGO: "Sync"}) == {"BeforeHookCreation"}
    both = {"argocd.argoproj.io/hook-delete-policy": "HookSucceeded", "helm.sh/hook-delete-policy": "hook-failed"}
    assert policies({ARGO: "Sync", **both}) == {"HookSucceeded", "HookFailed"}
    assert policies({ARGO: "Sync", "argocd.argoproj.io/hook-delete-policy": "HookGone,,"}) == {"BeforeHookCreation"}
    assert is_skipped({ARGO: "Skip"})
    assert not is_skipped({ARGO: "Skip,PreSync"})
