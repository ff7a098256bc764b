"""The Prometheus operator: Available; pods that are not ready yet are progress."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, message_or_reason


def judge(obj: Object) -> Health:
    """The last Available condition decides."""
    verdict = progressing("Waiting for initialization")
    for item in conditions(obj):
        if text(item, "type") != "Available":
            continue
        message = message_or_reason(item)
        if text(item, "status") == "True":
            verdict = healthy("All instances are available")
        elif text(item, "reason") == "SomePodsNotReady":
            verdict = progressing(message)
        else:
            verdict = degraded(message)
    return verdict


KINDS: Final[Mapping[str, Judge]] = dict.fromkeys(("Alertmanager", "Prometheus", "ThanosRuler"), judge)
