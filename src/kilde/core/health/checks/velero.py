"""Velero: backups, restores and schedules by phase."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word

_FAILED: Final = frozenset(
    {
        "Failed",
        "FailedValidation",
        "FinalizingPartiallyFailed",
        "PartiallyFailed",
        "WaitingForPluginOperationsPartiallyFailed",
    }
)


def _kind(name: str) -> Judge:
    def judge(obj: Object) -> Health:
        """A failure is told by its reason, or by the phase."""
        status = part(obj, "status")
        phase, reason = text(status, "phase"), status.get("failureReason")
        if not phase:
            return progressing(f"Waiting for {name.lower()} to be processed")
        if phase == "Completed":
            return healthy(f"{name} completed")
        return degraded(reason if isinstance(reason, str) else phase) if phase in _FAILED else progressing(phase)

    return judge


KINDS: Final[Mapping[str, Judge]] = {
    "Backup": _kind("Backup"),
    "Restore": _kind("Restore"),
    "Schedule": by_word(
        "phase",
        {"Enabled": healthy("Schedule is enabled"), "FailedValidation": degraded("Schedule failed validation")},
        absent=progressing("Waiting for schedule to be processed"),
        other=progressing,
    ),
}
