"""CloudNativePG's Cluster: its phase is a sentence; hibernation and a switched-off operator are told apart."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, progressing, suspended
from kilde.core.health.judging import Judge, said

_PHASES: Final[dict[HealthStatus, tuple[str, ...]]] = {
    HealthStatus.HEALTHY: ("Cluster in healthy state",),
    HealthStatus.PROGRESSING: (
        "Creating a new replica",
        "Promoting to primary cluster",
        "Setting up primary",
        "Upgrading cluster",
        "Waiting for the instances to become active",
    ),
    HealthStatus.DEGRADED: (
        "Applying configuration",
        "Cluster cannot execute instance online upgrade due to missing architecture binary",
        "Cluster upgrade delayed",
        "Failing over",
        "Online upgrade in progress",
        "Primary instance is being restarted in-place",
        "Primary instance is being restarted without a switchover",
        "Switchover in progress",
        "Upgrading Postgres major version",
        "Waiting for user action",
    ),
    HealthStatus.SUSPENDED: (
        "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
        "Cluster has incomplete or invalid image catalog",
        "Cluster is unrecoverable and needs manual intervention",
        "Unable to create required cluster objects",
    ),
}
_VERDICTS: Final = {phase: verdict for verdict, phases in _PHASES.items() for phase in phases}


def cluster(obj: Object) -> Health:
    if text(part(obj, "metadata", "annotations"), "cnpg.io/reconciliation") == "disabled":
        return suspended("Cluster reconciliation is suspended")
    status = part(obj, "status")
    reason = text(status, "phaseReason")
    if not isinstance(status.get("conditions"), list):
        return progressing(reason)
    for item in conditions(obj):
        if text(item, "type") == "cnpg.io/hibernation":
            return suspended(said(item)) if text(item, "status") == "True" else degraded(said(item))
    return Health(_VERDICTS.get(text(status, "phase"), HealthStatus.UNKNOWN), reason)


KINDS: Final[Mapping[str, Judge]] = {"Cluster": cluster}
