"""Hooks: objects that run around a sync instead of being kept in step. Which phases they run in, and when they are deleted.

Argo CD's rules (gitops-engine, pkg/sync/hook): its own annotation first, Helm's where that names no phase; `Skip` alone is no hook but
an object that is never written; a hook whose annotation names nothing known is a hook that never runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kilde.core.plan.hook_policies import DEFAULT, POLICIES, HookPolicy, Moment

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


@dataclass(frozen=True, slots=True)
class HookSpec:
    """What an object's annotations say of it as a hook. No phases: it never runs."""

    phases: tuple[SyncPhase, ...]
    policies: frozenset[HookPolicy]

    def deleted_at(self, moment: Moment) -> bool:
        return any(moment in policy.moments for policy in self.policies)


_HELM_PHASES: Final[Mapping[str, SyncPhase]] = {
    "pre-install": SyncPhase.PRE_SYNC,
    "pre-upgrade": SyncPhase.PRE_SYNC,
    "post-install": SyncPhase.POST_SYNC,
    "post-upgrade": SyncPhase.POST_SYNC,
    "pre-delete": SyncPhase.PRE_DELETE,
    "post-delete": SyncPhase.POST_DELETE,
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
    own, helms = _words(annotations.get(POLICY_ANNOTATION, "")), _words(annotations.get(_HELM_POLICY, ""))
    found = frozenset(policy for policy in POLICIES if policy.name in own or policy.helm in helms)
    return HookSpec(tuple(dict.fromkeys(phases)), found or frozenset({DEFAULT}))


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
