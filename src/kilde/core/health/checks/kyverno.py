"""Kyverno: a policy is ready, or does not load; policies of the CEL kinds say so below a status of their own."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said


def cluster_policy(obj: Object) -> Health:
    """Anything but True is Degraded."""
    for item in conditions(obj):
        if text(item, "type") == "Ready":
            return healthy(said(item)) if text(item, "status") == "True" else degraded(said(item))
    return progressing("Waiting for ClusterPolicy to become ready")


def policy(obj: Object) -> Health:
    """Of a namespace: only one exact condition is well."""
    for item in conditions(obj):
        told = [text(item, key) for key in ("type", "status", "reason", "message")]
        if told == ["Ready", "True", "Succeeded", "Ready"]:
            return healthy("Policy is ready")
    return progressing("Waiting for Policy to be ready")


def _cel(kind: str, *, by_webhook: bool, tells: bool) -> Judge:
    """`by_webhook`: that condition is the one to quote; `tells`: the status's own message goes before our words."""

    def judge(obj: Object) -> Health:
        status = part(obj, "status", "conditionStatus")
        generation, found = part(obj, "metadata").get("generation"), parts(status, "conditions")
        if not isinstance(part(obj, "status").get("conditionStatus"), dict):
            return progressing(f"Waiting for {kind} status")
        seen = [item["observedGeneration"] for item in found if isinstance(item.get("observedGeneration"), int)]
        if isinstance(generation, int) and any(one < generation for one in seen):
            return progressing(f"Waiting for {kind} status to reflect latest generation")
        if status.get("ready") is True:
            quoted = [item for item in found if not by_webhook or text(item, "type") == "WebhookConfigured"]
            good = next((item for item in quoted if text(item, "status") == "True"), {})
            return healthy(said(good, (tells and said(status)) or "Policy is ready"))
        bad = next((item for item in found if text(item, "status") == "False"), None)
        return degraded(f"{text(bad, 'type')}: {said(bad)}" if bad else said(status) or "Policy is not ready")

    return judge


_CEL: Final = {
    "DeletingPolicy": (False, True),
    "GeneratingPolicy": (False, True),
    "ImageValidatingPolicy": (True, True),
    "MutatingPolicy": (True, False),
    "ValidatingPolicy": (True, False),
}
KINDS: Final[Mapping[str, Judge]] = {
    "ClusterPolicy": cluster_policy,
    "Policy": policy,
    **{
        f"{scope}{kind}": _cel(f"{scope}{kind}", by_webhook=by_webhook, tells=tells)
        for kind, (by_webhook, tells) in _CEL.items()
        for scope in ("", "Namespaced")
    },
}
