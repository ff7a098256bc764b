"""Argo Workflow: its phase tells."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, HealthStatus

_PHASES = {
    "": HealthStatus.PROGRESSING,
    "Pending": HealthStatus.PROGRESSING,
    "Running": HealthStatus.PROGRESSING,
    "Succeeded": HealthStatus.HEALTHY,
    "Failed": HealthStatus.DEGRADED,
    "Error": HealthStatus.DEGRADED,
}


def judge(obj: Object) -> Health:
    """Argo CD's getArgoWorkflowHealth."""
    status = part(obj, "status")
    phase = _PHASES.get(text(status, "phase"))
    return Health(HealthStatus.UNKNOWN) if phase is None else Health(phase, text(status, "message"))
