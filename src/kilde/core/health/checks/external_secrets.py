"""The External Secrets operator: Ready, of secrets and of stores."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge, ready, said

_WAITING: Final = "Waiting for ExternalSecret"
_ready: Final = ready(_WAITING)


def external_secret(obj: Object) -> Health:
    """One that is read only on a change waits until Ready is as new as the last refresh."""
    if text(part(obj, "spec"), "refreshPolicy") == "OnChange":
        refreshed = text(part(obj, "status"), "refreshTime")
        answers = [item for item in conditions(obj) if text(item, "type") == "Ready"]
        if not any(text(item, "lastTransitionTime") >= refreshed for item in answers):
            return progressing(_WAITING)
    return _ready(obj)


def cluster_external_secret(obj: Object) -> Health:
    """Only the newest condition, the last, counts."""
    last = list(conditions(obj))[-1:]
    for item in last:
        if text(item, "status") == "True" and text(item, "type") in _CLUSTER:
            return Health(_CLUSTER[text(item, "type")], said(item))
    return progressing("Waiting for ClusterExternalSecret")


_CLUSTER: Final = {
    "Ready": HealthStatus.HEALTHY,
    "PartiallyReady": HealthStatus.DEGRADED,
    "NotReady": HealthStatus.DEGRADED,
}

KINDS: Final[Mapping[str, Judge]] = {
    "ClusterExternalSecret": cluster_external_secret,
    "ClusterSecretStore": ready("Waiting for ClusterSecretStore"),
    "ExternalSecret": external_secret,
    "PushSecret": ready("Waiting for PushSecret"),
    "SecretStore": ready("Waiting for SecretStore"),
}
