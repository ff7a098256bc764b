"""Crossplane: any managed resource, package or definition by Synced, Ready and their like; AWS kinds of old in their own words."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, said
from kilde.core.objects.ref import split_api_version

_GOOD: Final = frozenset({"Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy"})
_UP_TO_DATE: Final = healthy("Resource is up-to-date.")
_PROVISIONING: Final = progressing("Provisioning ...")
_CONFIGS: Final = frozenset(
    {"ProviderConfig", "ProviderConfigUsage", "StoreConfig", "ClusterProviderConfig", "ClusterProviderConfigUsage"}
)
_SILENT: Final = _CONFIGS | {
    "Composition", "CompositionRevision", "DeploymentRuntimeConfig", "EnvironmentConfig", "ImageConfig", "ControllerConfig",
}  # fmt: skip


def _any_kind(silent: frozenset[str], good: frozenset[str]) -> Judge:
    def judge(obj: Object) -> Health:
        """As Crossplane's own guide for Argo CD has it: kinds that never have conditions are well, others not yet."""
        status, found = part(obj, "status"), list(conditions(obj))
        if not status.get("conditions"):
            if text(obj, "kind") not in silent:
                return _PROVISIONING
            return _UP_TO_DATE if status.get("users") is None else healthy("Resource is in use.")
        failed = next((item for item in found if _is_failed(item)), None)
        if failed is not None:
            return degraded(said(failed))
        is_good = any(text(item, "type") in good and text(item, "status") == "True" for item in found)
        return _UP_TO_DATE if is_good or (len(good) > 1 and _is_inactive(obj)) else _PROVISIONING

    return judge


def _is_failed(item: Object) -> bool:
    return text(item, "type") in ("LastAsyncOperation", "Synced") and text(item, "status") == "False"


def _is_inactive(obj: Object) -> bool:
    """A definition that nobody has switched on is as it should be."""
    told = any((text(item, "type"), text(item, "reason")) == _INACTIVE for item in conditions(obj))
    return told and part(obj, "spec").get("state") != "Active"


_INACTIVE: Final = ("Established", "InactiveManagedResource")


_CROSSPLANE: Final = _any_kind(_SILENT, _GOOD)
_UPBOUND: Final = _any_kind(_CONFIGS, frozenset({"Ready"}))


def managed(obj: Object) -> Health:
    """Upbound's own providers: only Ready is good."""
    group, _ = split_api_version(text(obj, "apiVersion"))
    return _UPBOUND(obj) if group.endswith(".upbound.io") else _CROSSPLANE(obj)


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


def provider(obj: Object) -> Health:
    """Installed and Healthy, told by their reasons."""
    told = [found for found in (_last(obj, "Installed"), _last(obj, "Healthy")) if found]
    reasons = [text(item, "reason") for item in told if item.get("reason") is not None]
    if not reasons:
        return progressing("Waiting for provider to be installed")
    is_well = len(told) == 2 and all(text(item, "status") == "True" for item in told)
    return healthy(" ".join(reasons)) if is_well else degraded(" ".join(reasons))


def stack_install(obj: Object) -> Health:
    message = "Waiting for stack to be installed"
    for item in parts(part(obj, "status", "conditionedStatus"), "conditions"):
        if text(item, "type") == "Ready":
            message = text(item, "reason")
            if text(item, "status") == "True":
                return healthy(message)
    return progressing(message)


def _last(obj: Object, kind: str) -> Object:
    found: Object = {}
    for item in conditions(obj):
        if text(item, "type") == kind:
            found = item
    return found


KINDS: Final[Mapping[str, Judge]] = {
    "_": managed,
    "cloudfront.aws.crossplane.io/Distribution": _aws("distribution"),
    "iam.aws.crossplane.io/Policy": _aws("Policy"),
    "iam.aws.crossplane.io/Role": _aws("Role"),
    "iam.aws.crossplane.io/RolePolicyAttachment": _aws("RolePolicyAttachment"),
    "pkg.crossplane.io/Provider": provider,
    "rds.aws.crossplane.io/DBCluster": _aws("DBCluster"),
    "rds.aws.crossplane.io/DBInstance": _aws("DBInstance"),
    "route53.aws.crossplane.io/ResourceRecordSet": _aws("resourcrecordset"),
    "s3.aws.crossplane.io/Bucket": _aws("Bucket"),
    "stacks.crossplane.io/ClusterStackInstall": stack_install,
}
