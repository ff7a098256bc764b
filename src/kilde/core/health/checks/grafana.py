"""The Grafana operator: the last stage of a reconciliation and how it ended."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing
from kilde.core.health.judging import Judge


def grafana(obj: Object) -> Health:
    status = part(obj, "status")
    stage, outcome = text(status, "stage"), status.get("stageStatus")
    if outcome is None:
        return progressing("Waiting for Grafana status info")
    if outcome == "failed":
        return degraded(f"Failed at stage {stage}")
    return HEALTHY if (stage, outcome) == ("complete", "success") else progressing(stage)


KINDS: Final[Mapping[str, Judge]] = {"Grafana": grafana}
