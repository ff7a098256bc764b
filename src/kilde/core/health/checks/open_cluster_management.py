"""Open Cluster Management: policies comply or do not; which clusters or templates do not is told."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, parts, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing
from kilde.core.health.judging import Judge, first, is_behind, is_talking, said

_SILENT: Final = progressing("Waiting for the status to be reported")
_OLD: Final = progressing("Waiting for the status to be updated")
_NO_CLUSTER: Final = "No clusters match this policy"


def _verdict(obj: Object) -> HealthStatus:
    complies = text(part(obj, "status"), "compliant") == "Compliant"
    return HealthStatus.HEALTHY if complies else HealthStatus.DEGRADED


def certificate(obj: Object) -> Health:
    if part(obj, "status").get("compliant") is None:
        return _SILENT
    if _verdict(obj) is HealthStatus.HEALTHY:
        return healthy("All certificates found comply with the policy")
    return degraded("At least once certificate does not comply with the policy")


def configuration(obj: Object) -> Health:
    status = part(obj, "status")
    if status.get("compliant") is None:
        return _SILENT
    if status.get("lastEvaluatedGeneration") != part(obj, "metadata").get("generation"):
        return _OLD
    if not isinstance(status.get("compliancyDetails"), list):
        return progressing("Waiting for compliance")
    found = [item for one in parts(status, "compliancyDetails") for item in parts(one, "conditions")]
    told = [
        f"{item['type']} - {item['message']}" for item in found if None not in (item.get("type"), item.get("message"))
    ]
    return Health(_verdict(obj), "; ".join(told))


def operator(obj: Object) -> Health:
    if not is_talking(obj):
        return _SILENT
    if is_behind(obj):
        return _OLD
    told = first(obj, "Compliant")
    if told is None:
        return progressing("Waiting for the compliance condition")
    return healthy(said(told)) if text(told, "status") == "True" else degraded(said(told))


def policy(obj: Object) -> Health:
    """On a hub the status lists clusters, on a managed cluster templates."""
    if part(obj, "spec").get("disabled") not in (None, False):
        return healthy("Policy is disabled")
    status = part(obj, "status")
    if status.get("compliant") is None:
        is_nowhere = status.get("status") is None and bool(status.get("placement"))
        return healthy(_NO_CLUSTER) if is_nowhere else _SILENT
    if isinstance(status.get("status"), list):
        names = [text(one, "clustername") for one in parts(status, "status") if text(one, "compliant") != "Compliant"]
        return Health(_verdict(obj), _those("clusters", names))
    if isinstance(status.get("details"), list):
        amiss = [one for one in parts(status, "details") if text(one, "compliant") != "Compliant"]
        return Health(_verdict(obj), _those("templates", [text(part(one, "templateMeta"), "name") for one in amiss]))
    return Health(_verdict(obj))


def _those(what: str, names: list[str]) -> str:
    return f"NonCompliant {what}: {', '.join(names)}" if names else f"All {what} are compliant"


KINDS: Final[Mapping[str, Judge]] = {
    "CertificatePolicy": certificate,
    "ConfigurationPolicy": configuration,
    "OperatorPolicy": operator,
    "Policy": policy,
}
