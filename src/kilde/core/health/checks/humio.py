"""Humio (LogScale): its state tells, of a thing inside it that it exists, of a cluster how it is."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge, by_word, said

_UPDATING: Final = progressing("Update in progress")
_UNKNOWN: Final = unknown("Component state: Unknown.")
_CLUSTER: Final = {
    "Running": healthy("Cluster is in a healthy running state"),
    "Restarting": progressing("Cluster pods are being restarted"),
    "Upgrading": progressing("Cluster pods are being upgraded"),
    "Pending": progressing("Cluster is waiting on resources to be provisioned"),
    "ConfigError": degraded("User-provided cluster specification resulted in a configuration error"),
    "Unknown": _UNKNOWN,
}
_thing: Final = by_word(
    "state",
    {
        "Exists": healthy("Component state: Exists."),
        "NotFound": Health(HealthStatus.MISSING, "Component state: NotFound."),
        "ConfigError": degraded("Component state: ConfigError."),
        "Unknown": _UNKNOWN,
    },
    absent=_UPDATING,
)


def cluster(obj: Object) -> Health:
    """The operator's own message goes before ours."""
    status = part(obj, "status")
    found = _CLUSTER.get(text(status, "state"))
    return Health(found.status, said(status, found.message)) if found else _UPDATING


KINDS: Final[Mapping[str, Judge]] = {
    "HumioAction": _thing,
    "HumioAlert": _thing,
    "HumioCluster": cluster,
    "HumioIngestToken": _thing,
    "HumioParser": _thing,
    "HumioRepository": _thing,
    "HumioView": _thing,
}
