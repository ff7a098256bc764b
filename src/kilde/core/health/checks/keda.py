"""KEDA: Ready, Paused and Fallback together; the last of them that tells has the word."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, said

_BAD: Final = frozenset({("Ready", "False"), ("Fallback", "True")})
_TELLING: Final = _BAD | {("Ready", "True"), ("Paused", "True")}


def scaled_job(obj: Object) -> Health:
    """As a ScaledObject, but Ready Unknown is Degraded, and there is no fallback."""
    message, seen = "", set()
    for item in conditions(obj):
        answer = (text(item, "type"), text(item, "status"))
        seen.add(answer)
        if answer == ("Paused", "True") or answer[0] == "Ready":
            message = said(item)
    if seen & {("Ready", "False"), ("Ready", "Unknown")}:
        return degraded(message)
    if ("Ready", "True") not in seen:
        return progressing("Waiting for ScaledJob")
    return suspended(message) if ("Paused", "True") in seen else healthy(message)


def scaled_object(obj: Object) -> Health:
    """A fallback is Degraded though it scales; paused is Suspended only of one that is ready."""
    message, seen = "", set()
    for item in conditions(obj):
        answer = (text(item, "type"), text(item, "status"))
        seen.add(answer)
        if answer in _TELLING:
            message = said(item)
    if seen & _BAD:
        return degraded(message)
    if ("Ready", "True") not in seen:
        return progressing("Creating HorizontalPodAutoscaler Object")
    return suspended(message) if ("Paused", "True") in seen else healthy(message)


KINDS: Final[Mapping[str, Judge]] = {"ScaledJob": scaled_job, "ScaledObject": scaled_object}
