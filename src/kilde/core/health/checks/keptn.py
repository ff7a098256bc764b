"""Keptn: a word, in the field that each kind keeps it in; metrics by their value, analyses by whether they passed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word


def _kind(name: str, field: str) -> Judge:
    return by_word(
        field,
        {"Succeeded": healthy(f"{name} is healthy"), "Failed": degraded(f"{name} is degraded")},
        absent=progressing(f"{name} is progressing"),
    )


def analysis(obj: Object) -> Health:
    status = part(obj, "status")
    if status.get("pass") is True:
        return healthy("Analysis is healthy")
    if status.get("warning") is True:
        return healthy("Analysis is healthy with warnings")
    return degraded("Analysis is degraded") if status.get("pass") is False else progressing("Analysis is progressing")


def metric(obj: Object) -> Health:
    status = part(obj, "status")
    if text(status, "errMsg"):
        return degraded("KeptnMetric is degraded")
    has_value = status.get("value") is not None
    return healthy("KeptnMetric is healthy") if has_value else progressing("KeptnMetric is progressing")


KINDS: Final[Mapping[str, Judge]] = {
    "Analysis": analysis,
    "KeptnAppVersion": _kind("KeptnAppVersion", "status"),
    "KeptnEvaluation": _kind("KeptnEvaluation", "overallStatus"),
    "KeptnMetric": metric,
    "KeptnTask": _kind("KeptnTask", "status"),
    "KeptnWorkloadInstance": _kind("KeptnWorkloadInstance", "status"),
    "KeptnWorkloadVersion": _kind("KeptnWorkloadVersion", "status"),
}
