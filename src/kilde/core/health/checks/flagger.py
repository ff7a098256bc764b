"""Flagger's Canary: its phase, told with its weight and its conditions."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, unknown
from kilde.core.health.judging import Judge, said

_PHASES: Final = {
    "Failed": HealthStatus.DEGRADED,
    "Finalising": HealthStatus.PROGRESSING,
    "Initialized": HealthStatus.HEALTHY,
    "Progressing": HealthStatus.PROGRESSING,
    "Promoting": HealthStatus.PROGRESSING,
    "Succeeded": HealthStatus.HEALTHY,
}


def canary(obj: Object) -> Health:
    if not isinstance(obj.get("status"), dict):
        return unknown("No status")
    status = part(obj, "status")
    phase, weight = text(status, "phase"), _weight(status)
    told = ([f"Canary Weight: {weight} %"] if weight else []) + [said(item) for item in conditions(obj)]
    verdict = _PHASES.get(phase, HealthStatus.UNKNOWN)
    return Health(verdict, f"{phase} --- {' --- '.join(told)}")


def _weight(status: Object) -> str:
    """The weight as it is written; "" where it is none or nought."""
    found = status.get("canaryWeight")
    written = str(found) if isinstance(found, (int, str)) and not isinstance(found, bool) else ""
    return written if written.isdigit() and written.strip("0") else ""


KINDS: Final[Mapping[str, Judge]] = {"Canary": canary}
