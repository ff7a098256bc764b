"""nmstate's NodeNetworkConfigurationPolicy: the condition that is True tells, with its reason."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge

_TYPES: Final = {
    "Available": HealthStatus.HEALTHY,
    "Degraded": HealthStatus.DEGRADED,
    "Progressing": HealthStatus.PROGRESSING,
    "Ignored": HealthStatus.SUSPENDED,
}


def policy(obj: Object) -> Health:
    for item in conditions(obj):
        verdict = _TYPES.get(text(item, "type"))
        if verdict and text(item, "status") == "True":
            return Health(verdict, ": ".join(filter(None, (text(item, "reason"), text(item, "message")))))
    return progressing("Waiting for policy to be applied")


KINDS: Final[Mapping[str, Judge]] = {"NodeNetworkConfigurationPolicy": policy}
