"""SealedSecret: its Synced condition tells."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, HealthStatus

_UNSEEN = Health(HealthStatus.PROGRESSING, "Waiting for Sealed Secret to be decrypted")


def judge(obj: Object) -> Health:
    """Argo CD's check: Healthy where it opened, Degraded with the reason where not, Progressing until a controller has looked."""
    synced = next((each for each in conditions(obj) if each.get("type") == "Synced"), None)
    if synced is None:
        return _UNSEEN
    if synced.get("status") == "False":
        return Health(HealthStatus.DEGRADED, text(synced, "message"))
    return Health(HealthStatus.HEALTHY, text(synced, "message")) if synced.get("status") == "True" else _UNSEEN
