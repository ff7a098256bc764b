"""Rook's CephCluster: Ceph's own health, then the operator's state."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge

_CEPH: Final = {
    "HEALTH_OK": HealthStatus.HEALTHY,
    "HEALTH_WARN": HealthStatus.DEGRADED,
    "HEALTH_ERR": HealthStatus.DEGRADED,
}
_STATES: Final = {
    "Created": HealthStatus.HEALTHY,
    "Connected": HealthStatus.HEALTHY,
    "Error": HealthStatus.DEGRADED,
}


def ceph_cluster(obj: Object) -> Health:
    """The state counts only where Ceph is well; all that is said is said in one line."""
    if not isinstance(obj.get("status"), dict):
        return progressing("Waiting for status to be reported")
    status = part(obj, "status")
    ceph, state = text(part(status, "ceph"), "health"), text(status, "state")
    verdict = _CEPH.get(ceph, HealthStatus.PROGRESSING)
    told = [f"Ceph health is {ceph}{_details(part(status, 'ceph', 'details'))}"] if ceph else []
    if verdict is HealthStatus.HEALTHY and state:
        told.append(f"Ceph cluster state is {state}")
        verdict = _STATES.get(state, HealthStatus.PROGRESSING)
    told.append(text(status, "message"))
    return Health(verdict, " - ".join(filter(None, told)))


def _details(details: Object) -> str:
    messages = [text(details[key], "message") for key in sorted(details) if isinstance(details[key], dict)]
    joined = "; ".join(filter(None, messages))
    return f" ({joined})" if joined else ""


KINDS: Final[Mapping[str, Judge]] = {"CephCluster": ceph_cluster}
