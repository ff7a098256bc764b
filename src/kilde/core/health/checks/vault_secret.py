"""VaultSecret: its Ready condition tells, once it is about the newest spec."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import is_observed
from kilde.core.health.health import Health, progressing
from kilde.core.health.judging import ready

_WAITING = "Waiting for the values from Vault"
_ready = ready(_WAITING)


def judge(obj: Object) -> Health:
    """Healthy where the Secret is as new as Vault has it, Degraded with the reason where not: the last good Secret is there still."""
    return _ready(obj) if is_observed(obj) else progressing(_WAITING)
