"""One live object → its health, as Argo CD's controller sees it; None for a kind that has none."""

from collections.abc import Callable
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.checks import CHECKS
from kilde.core.health.custom import custom_judge
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, progressing, unknown
from kilde.core.objects.ref import GroupKind, split_api_version

HOOK_FINALIZER: Final = "argocd.argoproj.io/hook-finalizer"
IGNORE_HEALTHCHECK: Final = "argocd.argoproj.io/ignore-healthcheck"


JudgeOf = Callable[[str, str], Callable[[Object], Health | None] | None]


def assess(obj: Object, configured: JudgeOf | None = None) -> Health | None:
    """The health of one live object; None where its kind has no check (a ConfigMap is neither well nor ill).

    `configured` gives the check that somebody has configured for a group and kind; it comes before ours.

    An object on its way out is Progressing, unless it is held by the finalizer that only hooks carry.
    A version that Argo CD's check does not read is Unknown, in its words.
    """
    if _is_going(obj):
        return progressing("Pending deletion")
    api_version, kind = text(obj, "apiVersion"), text(obj, "kind")
    group, version = split_api_version(api_version)
    own = configured(group, kind) if configured else None
    if own is not None and (found := own(obj)) is not None:
        return found
    check = CHECKS.get(GroupKind(group, kind))
    if check is None:
        judge = custom_judge(group, kind)
        return judge(obj) if judge else None
    if check.versions and version not in check.versions:
        return unknown(f"unsupported {check.label or kind} GVK: {api_version}, Kind={kind}")
    return check.judge(obj)


def counts(obj: Object) -> bool:
    """Whether an object's health counts for its application's (annotation `argocd.argoproj.io/ignore-healthcheck`)."""
    return text(part(obj, "metadata", "annotations"), IGNORE_HEALTHCHECK) != "true"


def _is_going(obj: Object) -> bool:
    metadata = part(obj, "metadata")
    finalizers = metadata.get("finalizers")
    return bool(metadata.get("deletionTimestamp")) and not (
        isinstance(finalizers, list) and HOOK_FINALIZER in finalizers
    )
