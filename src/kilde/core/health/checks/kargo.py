"""Kargo: stages by promotion, health and verification; warehouses by what they find; projects by Ready."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing
from kilde.core.health.judging import Judge, When, by_rank, ill, observed, said, well

_PROGRESSING: Final = HealthStatus.PROGRESSING
_DEGRADED: Final = HealthStatus.DEGRADED
_PROJECT: Final = by_rank(
    ill("Stalled"),
    When("Reconciling", "True", _PROGRESSING),
    ill("Ready", "False"),
    well("Ready"),
    waiting="Waiting for Kargo",
)
_STAGE: Final = by_rank(
    When("Promoting", "True", _PROGRESSING),
    ill("Healthy", "False"),
    When("Healthy", "Unknown", _DEGRADED, reason="LastPromotionFailed"),
    When("Healthy", "Unknown", _DEGRADED, reason="LastPromotionErrored"),
    ill("Verified", "False", "Verification failed"),
    # Nothing to promote is no fault of the stage: one that awaits its first Freight holds nobody up.
    When("Healthy", "Unknown", HealthStatus.HEALTHY, reason="NoFreight"),
    well("Ready"),
    When("Ready", "False", _PROGRESSING),
    waiting="Waiting for Kargo",
)
_WAREHOUSE: Final = by_rank(
    ill("Healthy", "False"),
    When("Ready", "False", _DEGRADED, reason="FreightBuildFailure"),
    When("Ready", "False", _DEGRADED, reason="FreightCreationFailure"),
    well("Healthy"),  # it is not Ready while it looks again, each few minutes
    waiting="Waiting for artifacts to be discovered",
)
_ENDS: Final = {"Succeeded": healthy, "Failed": degraded, "Errored": degraded, "Aborted": degraded}


def promotion(obj: Object) -> Health:
    status = part(obj, "status")
    phase = text(status, "phase")
    return _ENDS.get(phase, progressing)(said(status) or f"Promotion is {phase or 'Pending'}")


KINDS: Final[Mapping[str, Judge]] = {
    "Project": _PROJECT,
    "ProjectConfig": _PROJECT,
    "Promotion": promotion,
    "Stage": observed(_STAGE, "Waiting for Kargo to observe the newest generation"),
    "Warehouse": observed(_WAREHOUSE, "Waiting for Kargo to observe the newest generation"),
}
