"""The operator of Grafana's organizations: one condition for all its kinds."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import text
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge, first, said


def judge(obj: Object) -> Health:
    ready = first(obj, "Ready")
    if ready is None:
        return progressing("Waiting ...")
    answers = {"True": HealthStatus.HEALTHY, "False": HealthStatus.DEGRADED}
    return Health(answers.get(text(ready, "status"), HealthStatus.PROGRESSING), said(ready))


KINDS: Final[Mapping[str, Judge]] = {"_": judge}
