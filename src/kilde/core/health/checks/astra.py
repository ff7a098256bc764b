"""NetApp Astra: applications by Ready, what runs once by its state, schedules by their last run."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, first, said

_SILENT: Final = progressing("No status available")


def application(obj: Object) -> Health:
    for item in filter(None, (first(obj, "Ready", answer) for answer in ("True", "False"))):
        if text(item, "status") == "True":
            return healthy(f"Astra Application Ready, protectionState: {text(part(obj, 'status'), 'protectionState')}")
        return degraded(f"Astra Application Degraded, message: {said(item)}")
    return _SILENT


def run(obj: Object) -> Health:
    """What is neither running nor completed has failed, in the word that the state is."""
    state, kind = text(part(obj, "status"), "state"), text(obj, "kind")
    if not state:
        return _SILENT
    good = {"Completed": healthy(f"{kind} Completed"), "Running": progressing(f"{kind} Running")}
    return good.get(state, degraded(state))


def vault(obj: Object) -> Health:
    state = text(part(obj, "status"), "state")
    if state in ("available", "Available"):
        return healthy("AppVault Available")
    return degraded("AppVault Failed") if state in ("failed", "Failed") else _SILENT


def hook(obj: Object) -> Health:
    enabled = part(obj, "spec").get("enabled")
    if enabled is True:
        return healthy("ExecHook enabled")
    return suspended("ExecHook disabled") if enabled is False else _SILENT


def schedule(obj: Object) -> Health:
    last = text(part(obj, "status"), "lastScheduleTime")
    return healthy(f"Protection policy lastScheduleTime: {last}" if last else "Protection policy not yet executed")


KINDS: Final[Mapping[str, Judge]] = {
    "AppVault": vault,
    "Application": application,
    "ExecHook": hook,
    "Schedule": schedule,
    **dict.fromkeys(("Backup", "ExecHooksRun", "ResourceBackup", "ResticVolumeBackup", "Snapshot"), run),
}
