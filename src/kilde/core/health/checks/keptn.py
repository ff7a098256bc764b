"""Keptn: a word, in the field that each kind keeps it in."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word


def _kind(name: str, field: str) -> Judge:
    return by_word(
        field,
        {"Succeeded": healthy(f"{name} is healthy"), "Failed": degraded(f"{name} is degraded")},
        absent=progressing(f"{name} is progressing"),
    )


KINDS: Final[Mapping[str, Judge]] = {
    "KeptnAppVersion": _kind("KeptnAppVersion", "status"),
    "KeptnEvaluation": _kind("KeptnEvaluation", "overallStatus"),
    "KeptnTask": _kind("KeptnTask", "status"),
    "KeptnWorkloadInstance": _kind("KeptnWorkloadInstance", "status"),
    "KeptnWorkloadVersion": _kind("KeptnWorkloadVersion", "status"),
}
