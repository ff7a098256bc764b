"""Percona's clusters (XtraDB, MongoDB): the state, with how many nodes are ready."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import number, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge

_UNKNOWN: Final = unknown(
    "Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: "
    "https://github.com/argoproj/argo-cd/issues"
)


def xtra_db_cluster(obj: Object) -> Health:
    status = part(obj, "status")
    nodes = f"{number(status, 'ready')}/{number(status, 'size')} node(s) are ready"
    told = status.get("message")
    errors = [line for line in told if isinstance(line, str)] if isinstance(told, list) else []
    verdicts = {
        "initializing": progressing(nodes),
        "ready": healthy(nodes),
        "paused": unknown("Cluster is paused"),
        "stopping": degraded(f"Cluster is stopping ({nodes})"),
        "error": degraded(f"Cluster is on error: {', '.join(errors)}"),
    }
    return verdicts.get(text(status, "state"), _UNKNOWN)


_MONGO: Final = {
    "initializing": HealthStatus.PROGRESSING,
    "ready": HealthStatus.HEALTHY,
    "error": HealthStatus.DEGRADED,
    "stopping": HealthStatus.PROGRESSING,
    "paused": HealthStatus.SUSPENDED,
}


def mongo_db(obj: Object) -> Health:
    if not isinstance(obj.get("status"), dict):
        return unknown("Cluster status is unknown")
    status = part(obj, "status")
    verdict = _MONGO.get(text(status, "state"), HealthStatus.UNKNOWN)
    return Health(verdict, f"{number(status, 'ready')}/{number(status, 'size')} node(s) are ready")


KINDS: Final[Mapping[str, Judge]] = {
    "PerconaServerMongoDB": mongo_db,
    "PerconaXtraDBCluster": xtra_db_cluster,
}
