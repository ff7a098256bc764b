"""Hooks: objects that run around a sync instead of being kept in step. Which phases they run in, and when they are deleted.

Argo CD's rules (gitops-engine, pkg/sync/hook): its own annotation first, Helm's where that names no phase; `Skip` alone is no hook but
an object that is never written; a hook whose annotation names nothing known is a hook that never runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HOOK_ANNOTATION: Final = "argocd.argoproj.io/hook"
POLICY_ANNOTATION: Final = "argocd.argoproj.io/hook-delete-policy"
FINALIZER: Final = "argocd.argoproj.io/hook-finalizer"
_HELM_HOOK, _HELM_POLICY = "helm.sh/hook", "helm.sh/hook-delete-policy"
_SKIP: Final = "Skip"


class SyncPhase(StrEnum):
    """The phases of an operation, in their order; SyncFail runs only after a failure, the last two around a deletion."""

    PRE_SYNC = "PreSync"
    SYNC = "Sync"
    POST_SYNC = "PostSync"
    SYNC_FAIL = "SyncFail"
    PRE_DELETE = "PreDelete"
    POST_DELETE = "PostDelete"


class DeletePolicy(StrEnum):
    """When a hook is deleted."""

    BEFORE_CREATION = "BeforeHookCreation"
    SUCCEEDED = "HookSucceeded"
    FAILED = "HookFailed"


@dataclass(frozen=True, slots=True)
class HookSpec:
    """What an object's annotations say of it as a hook. No phases: it never runs."""

    phases: tuple[SyncPhase, ...]
    policies: frozenset[DeletePolicy]


_HELM_PHASES: Final[Mapping[str, SyncPhase]] = {
    "pre-install": SyncPhase.PRE_SYNC,
    "pre-upgrade": SyncPhase.PRE_SYNC,
    "post-install": SyncPhase.POST_SYNC,
    "post-upgrade": SyncPhase.POST_SYNC,
    "pre-delete": SyncPhase.PRE_DELETE,
    "post-delete": SyncPhase.POST_DELETE,
}
_HELM_POLICIES: Final[Mapping[str, DeletePolicy]] = {
    "before-hook-creation": DeletePolicy.BEFORE_CREATION,
    "hook-succeeded": DeletePolicy.SUCCEEDED,
    "hook-failed": DeletePolicy.FAILED,
}


def is_hook(annotations: Mapping[str, str]) -> bool:
    """Whether an object with these annotations is a hook."""
    own = annotations.get(HOOK_ANNOTATION)
    if own is not None:
        return _words(own) != [_SKIP]
    return annotations.get(_HELM_HOOK, "crd-install") != "crd-install"


def is_skipped(annotations: Mapping[str, str]) -> bool:
    """Whether the object says `hook: Skip`: it is compared, and never written."""
    return _words(annotations.get(HOOK_ANNOTATION, "")) == [_SKIP]


def hook_spec(annotations: Mapping[str, str]) -> HookSpec:
    """Phases and delete policies of a hook."""
    known = {str(phase): phase for phase in SyncPhase}
    phases = [known[word] for word in _words(annotations.get(HOOK_ANNOTATION, "")) if word in known]
    if not phases and _SKIP not in _words(annotations.get(HOOK_ANNOTATION, "")):
        phases = [_HELM_PHASES[word] for word in _words(annotations.get(_HELM_HOOK, "")) if word in _HELM_PHASES]
    policies = {str(policy): policy for policy in DeletePolicy}
    found = {policies[word] for word in _words(annotations.get(POLICY_ANNOTATION, "")) if word in policies}
    found |= {_HELM_POLICIES[word] for word in _words(annotations.get(_HELM_POLICY, "")) if word in _HELM_POLICIES}
    return HookSpec(tuple(dict.fromkeys(phases)), frozenset(found or {DeletePolicy.BEFORE_CREATION}))


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
