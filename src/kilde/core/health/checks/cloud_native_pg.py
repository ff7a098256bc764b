"""CloudNativePG: a cluster's phase is a sentence (hibernation and a switched-off operator are told apart); backups, databases."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, suspended
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
    if text(part(obj, "metadata", "annotations"), "cnpg.io/reconciliationLoop") == "disabled":
        return suspended("Cluster reconciliation is suspended")
    status = part(obj, "status")
    reason = text(status, "phaseReason")
    if not isinstance(status.get("conditions"), list):
        return progressing(reason)
    for item in conditions(obj):
        if text(item, "type") == "cnpg.io/hibernation":
            return suspended(said(item)) if text(item, "status") == "True" else degraded(said(item))
    return Health(_VERDICTS.get(text(status, "phase"), HealthStatus.UNKNOWN), reason)


def backup(obj: Object) -> Health:
    status = part(obj, "status")
    phase = text(status, "phase")
    if phase == "completed":
        return healthy("Backup completed")
    if phase in ("failed", "walArchivingFailing", "invalid backup definition"):
        return degraded(text(status, "error") or phase)
    return progressing(phase or "Waiting for backup to be processed")


def database(obj: Object) -> Health:
    """Whether it was applied counts when it is of the newest generation."""
    status, generation = part(obj, "status"), part(obj, "metadata").get("generation")
    applied, message = status.get("applied"), status.get("message")
    told = message if isinstance(message, str) else None
    if generation is None or status.get("observedGeneration") == generation:
        if applied is True:
            return healthy(told or "")
        if applied is False:
            return degraded("CloudNativePG failed to apply the Database" if told is None else told)
    return progressing(told or "Waiting for CloudNativePG to reconcile Database")


KINDS: Final[Mapping[str, Judge]] = {"Backup": backup, "Cluster": cluster, "Database": database}
