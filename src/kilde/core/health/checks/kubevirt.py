"""KubeVirt: virtual machines (running, starting, stopped or paused), their instances, and imported volumes."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, said


def virtual_machine(obj: Object) -> Health:
    """KubeVirt's printable status, where there is one, goes before our words."""
    status, spec = part(obj, "status"), part(obj, "spec")
    is_to_stop = spec.get("running") is False or spec.get("runStrategy") == "Halted"
    if is_to_stop and not status.get("created"):
        return healthy("Stopped as declared")
    verdict = progressing("No status available")
    for item in conditions(obj):
        if text(item, "type") == "Paused" and text(item, "status") == "True":
            return suspended("Paused")
        if text(item, "type") == "Ready":
            verdict = healthy("Running") if text(item, "status") == "True" else _down(status, verdict.status)
    printable = status.get("printableStatus")
    return Health(verdict.status, printable) if isinstance(printable, str) else verdict


def _down(status: Object, before: HealthStatus) -> Health:
    return Health(before, "Starting") if status.get("created") else suspended("Stopped")


def instance(obj: Object) -> Health:
    """A phase that is not Running decides; of a running one, Ready and Paused tell."""
    phase = text(part(obj, "status"), "phase")
    verdict = Health(_PHASES.get(phase, HealthStatus.PROGRESSING), phase or "No status available")
    if phase in _PHASES:
        return verdict
    for item in conditions(obj):
        if text(item, "type") == "Ready":
            verdict = healthy("Running") if text(item, "status") == "True" else degraded(said(item))
        elif text(item, "type") == "Paused" and text(item, "status") == "True":
            return suspended(said(item))
    return verdict


_PHASES: Final = {
    "Failed": HealthStatus.DEGRADED,
    "Pending": HealthStatus.PROGRESSING,
    "Scheduled": HealthStatus.PROGRESSING,
    "Scheduling": HealthStatus.PROGRESSING,
    "Succeeded": HealthStatus.SUSPENDED,
    "Unknown": HealthStatus.UNKNOWN,
}


def data_volume(obj: Object) -> Health:
    phase = text(part(obj, "status"), "phase")
    if phase in ("Succeeded", "Paused"):
        return Health(HealthStatus.HEALTHY if phase == "Succeeded" else HealthStatus.SUSPENDED, phase)
    for item in conditions(obj):
        if (text(item, "type"), text(item, "status"), text(item, "reason")) == ("Running", "False", "Error"):
            return degraded(said(item))
    is_bad = phase in ("Failed", "Unknown")
    return degraded(phase) if is_bad else progressing(phase or "No status available")


KINDS: Final[Mapping[str, Judge]] = {
    "DataVolume": data_volume,
    "VirtualMachine": virtual_machine,
    "VirtualMachineInstance": instance,
}
