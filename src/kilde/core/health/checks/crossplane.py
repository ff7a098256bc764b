"""Crossplane: any managed resource, package or definition by Synced, Ready and their like; AWS kinds of old in their own words."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, said

_GOOD: Final = frozenset({"Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy"})
_CONFIGS: Final = frozenset({"ProviderConfig", "ClusterProviderConfig"})
_UP_TO_DATE: Final = healthy("Resource is up-to-date.")
_PROVISIONING: Final = progressing("Provisioning ...")
_SILENT: Final = _CONFIGS | {
    "Composition", "CompositionRevision", "DeploymentRuntimeConfig", "ProviderConfigUsage", "ControllerConfig",
}  # fmt: skip


def any_kind(obj: Object) -> Health:
    """As Crossplane's own guide for Argo CD has it: what reports no status is well."""
    status = obj.get("status")
    kind = text(obj, "kind")
    if status is None or (not status and kind in _SILENT):
        return _UP_TO_DATE
    if not isinstance(part(obj, "status").get("conditions"), list):
        in_use = kind in _CONFIGS and part(obj, "status").get("users") is not None
        return healthy("Resource is in use.") if in_use else _PROVISIONING
    for item in conditions(obj):
        name, answer = text(item, "type"), text(item, "status")
        if name in ("LastAsyncOperation", "Synced") and answer == "False":
            return degraded(said(item))
        if name in _GOOD and answer == "True":
            return _UP_TO_DATE
    return _PROVISIONING


def _aws(name: str) -> Judge:
    def judge(obj: Object) -> Health:
        """Ready and Synced; a paused reconciliation is told apart from a failed one by its reason."""
        if not isinstance(part(obj, "status").get("conditions"), list):
            return progressing(f"Waiting for {name} to be created")
        ready = _last(obj, "Ready")
        synced = _last(obj, "Synced")
        is_ready, is_synced = text(ready, "status") == "True", text(synced, "status") == "True"
        if is_ready and is_synced:
            return healthy(text(ready, "reason"))
        reason = text(synced, "reason")
        if not is_synced and reason == "ReconcilePaused":
            return suspended(reason)
        if is_synced:
            return progressing(f"Waiting for {name} to be available")
        return degraded(said(synced) if reason == "ReconcileError" else "")

    return judge


def _last(obj: Object, kind: str) -> Object:
    found: Object = {}
    for item in conditions(obj):
        if text(item, "type") == kind:
            found = item
    return found


KINDS: Final[Mapping[str, Judge]] = {
    "_": any_kind,
    "cloudfront.aws.crossplane.io/Distribution": _aws("distribution"),
    "iam.aws.crossplane.io/Policy": _aws("Policy"),
    "iam.aws.crossplane.io/Role": _aws("Role"),
    "iam.aws.crossplane.io/RolePolicyAttachment": _aws("RolePolicyAttachment"),
    "s3.aws.crossplane.io/Bucket": _aws("Bucket"),
}
