"""Tekton's runs: Succeeded is True, False, or not yet told."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import text
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge, first, message_or_reason

_ANSWERS: Final = {"True": HealthStatus.HEALTHY, "False": HealthStatus.DEGRADED}


def run(obj: Object) -> Health:
    done = first(obj, "Succeeded")
    if done is None:
        return progressing("Waiting for run to start")
    return Health(_ANSWERS.get(text(done, "status"), HealthStatus.PROGRESSING), message_or_reason(done))


KINDS: Final[Mapping[str, Judge]] = {"PipelineRun": run, "TaskRun": run}
