"""Flink: deployments (reconciled, or how far the job manager is) and session jobs (the state of the job)."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import HEALTHY, Health, HealthStatus, degraded, healthy, progressing
from kilde.core.health.judging import Judge


def deployment(obj: Object) -> Health:
    status = part(obj, "status")
    reconciled = part(status, "reconciliationStatus")
    if reconciled.get("success") is True or reconciled.get("state") == "DEPLOYED":
        return HEALTHY
    is_told = isinstance(status.get("reconciliationStatus"), dict)
    manager = text(status, "jobManagerDeploymentStatus") if is_told else ""
    if manager in ("DEPLOYED_NOT_READY", "DEPLOYING"):
        return progressing("Waiting for deploying")
    if manager == "ERROR":
        return degraded(text(reconciled, "error"))
    is_off = part(obj, "spec", "job").get("state") == "suspended" and reconciled.get("lastReconciledSpec") is None
    return healthy("Job is suspended") if is_off else progressing("Waiting for Flink operator")


def session_job(obj: Object) -> Health:
    status = part(obj, "status")
    state, error = text(part(status, "jobStatus"), "state"), status.get("error")
    if state in _STATES:
        return Health(_STATES[state], state)
    if isinstance(error, str) or state == "FAILED":
        return degraded(error if isinstance(error, str) else "FlinkSessionJob failed")
    return progressing("Waiting for FlinkSessionJob to be reconciled")


_STATES: Final = {
    "CANCELED": HealthStatus.SUSPENDED,
    "CREATED": HealthStatus.PROGRESSING,
    "FINISHED": HealthStatus.HEALTHY,
    "RECONCILING": HealthStatus.PROGRESSING,
    "RUNNING": HealthStatus.HEALTHY,
    "SUSPENDED": HealthStatus.SUSPENDED,
}

KINDS: Final[Mapping[str, Judge]] = {"FlinkDeployment": deployment, "FlinkSessionJob": session_job}
