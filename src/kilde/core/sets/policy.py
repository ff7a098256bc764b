"""What the owner of an installation says of all ApplicationSets: the `applicationsetcontroller.*` keys of argocd-cmd-params-cm."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kilde.core.basics.reading import duration
from kilde.core.sets.application_set import POLICIES, ApplicationSet
from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.status import MOST_RESOURCES

CONFIG_MAP = "argocd-cmd-params-cm"
EVERY = 180.0
_SHORTEST, _LONGEST = 1.0, 8760 * 3600.0  # of requeue.after; another one counts as none, as in Argo CD
_PREFIX = "applicationsetcontroller."
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsPolicy:
    """`forges`: whether generators may ask any; `allowed`: the `api` addresses they may name (empty: any), as written.

    `labelled_tokens`: tokens for forges come only from Secrets labelled as `scm-creds`. `sync`: the policy of sets, "" where each
    says its own; `overridable`: whether a set may say otherwise. `guest`: of a set outside of the controller's namespace, whose writer
    could have tokens sent to any address: such sets ask forges only where the owner says which. `globs`: files of repositories are
    chosen by globs, in which `*` stops at `/`. `resources`: how many Applications a status lists. `rollouts`:
    whether the strategy RollingSync is obeyed; `dry`: no set writes anything. `every`: seconds after which Git and cluster decisions are
    looked at again; `authority_file`: certificates that GitLab and Bitbucket's server are trusted by, beside the system's; `submodules`:
    whether a pattern of Git may lead into one (which fails: they are not fetched).
    """

    forges: bool = True
    allowed: tuple[str, ...] = ()
    labelled_tokens: bool = False
    sync: str = ""
    overridable: bool = True
    annotations: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    guest: bool = False
    globs: bool = False
    resources: int = MOST_RESOURCES
    rollouts: bool = True
    dry: bool = False
    every: float = EVERY
    authority_file: str = ""
    submodules: bool = True

    def check(self, block: Mapping[str, Any]) -> None:
        """GeneratorFailed where a generator may not ask the forge that its block names."""
        if not self.forges:
            raise GeneratorFailed("scm providers are disabled")
        if self.guest and not self.allowed:
            raise GeneratorFailed(
                "scm provider not allowed: a set outside of the controller's namespace may ask none "
                "until applicationsetcontroller.allowed.scm.providers says which"
            )
        address = str(block.get("api") or "")
        if address and self.allowed and address not in self.allowed:
            known = ", ".join(self.allowed)
            raise GeneratorFailed(
                f'scm provider not allowed: scm provider "{address[:200]}" not allowed, must use one of the following: {known}'
            )

    def over(self, owner: ApplicationSet) -> ApplicationSet:
        """The set as it is obeyed."""
        own = "applicationsSync" in (
            (owner.spec.get("syncPolicy") or {}) if isinstance(owner.spec.get("syncPolicy"), dict) else {}
        )
        sync = owner.policy if not self.sync or (self.overridable and own) else self.sync
        return replace(
            owner,
            policy=sync,
            steps=owner.steps if self.rollouts else None,
            deletes_in_reverse=owner.deletes_in_reverse and self.rollouts,
            preserved_annotations=(*owner.preserved_annotations, *self.annotations),
            preserved_labels=(*owner.preserved_labels, *self.labels),
        )


ANYTHING = SetsPolicy()


def read_policy(data: Mapping[str, Any]) -> SetsPolicy:
    """From the ConfigMap's `data`. A policy that is none counts as `create-only`, the one that does least."""

    def words(key: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in str(data.get(_PREFIX + key) or "").split(",") if word.strip())

    def flag(key: str, *, default: bool) -> bool:
        written = str(data.get(_PREFIX + key) or "")
        return written in _TRUE if written else default

    sync = str(data.get(_PREFIX + "policy") or "")
    every = duration(str(data.get(_PREFIX + "requeue.after") or ""))
    most = str(data.get(_PREFIX + "status.max.resources.count") or "")
    return SetsPolicy(
        forges=flag("enable.scm.providers", default=True),
        allowed=words("allowed.scm.providers"),
        labelled_tokens=flag("enable.tokenref.strict.mode", default=False),
        sync=sync if not sync or sync in POLICIES else "create-only",
        overridable=flag("enable.policy.override", default=not sync),
        annotations=words("global.preserved.annotations"),
        labels=words("global.preserved.labels"),
        globs=flag("enable.new.git.file.globbing", default=False),
        resources=min(int(most[:9]), MOST_RESOURCES) if most.isdecimal() and most.strip("0") else MOST_RESOURCES,
        rollouts=flag("enable.progressive.syncs", default=True),
        dry=flag("dryrun", default=False),
        every=every if every is not None and _SHORTEST <= every <= _LONGEST else EVERY,
        authority_file=str(data.get(_PREFIX + "scm.root.ca.path") or ""),
        submodules=flag("enable.git.submodule", default=True),
    )
