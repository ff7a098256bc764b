"""Longhorn's Volume: where it is attached and whether its replicas are sound."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge

_ATTACHED: Final = {
    "healthy": healthy("Volume is attached and healthy"),
    "degraded": progressing("Volume is degraded (rebuilding replicas)"),
}


def volume(obj: Object) -> Health:
    status = part(obj, "status")
    state, robustness = text(status, "state"), text(status, "robustness")
    if robustness == "faulted":
        return degraded("Volume is faulted")
    if state == "attached":
        return _ATTACHED.get(robustness, progressing("Volume is attached"))
    if state == "detached":
        return healthy("Volume is detached")
    return progressing(f"Volume is {state}" if state else "Waiting for volume")


KINDS: Final[Mapping[str, Judge]] = {"Volume": volume}
