"""Rook: Ceph's clusters (Ceph's own health, then the operator's state) and object stores; Cassandra's racks."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import HEALTHY, Health, HealthStatus, progressing
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


def object_store(obj: Object) -> Health:
    status = part(obj, "status")
    phase, endpoint = text(status, "phase"), text(part(status, "info"), "endpoint")
    message = f"Ceph object store phase is {phase}" if phase else "Waiting for status to be reported"
    verdict = {"Ready": HealthStatus.HEALTHY, "Failure": HealthStatus.DEGRADED}.get(phase, HealthStatus.PROGRESSING)
    return Health(verdict, f"{message} - endpoint: {endpoint}" if endpoint else message)


def cassandra(obj: Object) -> Health:
    racks = part(obj, "status").get("racks")
    found = [one for one in part(obj, "status", "racks").values() if isinstance(one, dict)]
    numbers = [(one.get("members"), one.get("readyMembers")) for one in found]
    if isinstance(racks, dict) and all(None in pair or pair[0] == pair[1] for pair in numbers):
        return HEALTHY
    return progressing("Waiting for Cassandra Cluster")


KINDS: Final[Mapping[str, Judge]] = {
    "CephCluster": ceph_cluster,
    "CephObjectStore": object_store,
    "Cluster": cassandra,
}
