"""ObjectBucketClaim (Rook, NooBaa): its phase tells."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge

_PHASES: Final = {"Bound": HealthStatus.HEALTHY, "Failed": HealthStatus.DEGRADED}


def claim(obj: Object) -> Health:
    if not isinstance(obj.get("status"), dict):
        return progressing("Waiting for status to be reported")
    phase = part(obj, "status").get("phase")
    if not isinstance(phase, str):
        return progressing("Waiting for phase to be reported")
    return Health(_PHASES.get(phase, HealthStatus.PROGRESSING), f"Object bucket claim phase is {phase}")


KINDS: Final[Mapping[str, Judge]] = {"ObjectBucketClaim": claim}
