"""The External Secrets operator: Ready, of secrets and of stores."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, progressing
from kilde.core.health.judging import Judge, ready

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


KINDS: Final[Mapping[str, Judge]] = {
    "ClusterSecretStore": ready("Waiting for ClusterSecretStore"),
    "ExternalSecret": external_secret,
    "SecretStore": ready("Waiting for SecretStore"),
}
