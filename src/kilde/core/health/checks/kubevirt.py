"""KubeVirt's VirtualMachine: running, starting, stopped or paused."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, healthy, progressing, suspended
from kilde.core.health.judging import Judge


def virtual_machine(obj: Object) -> Health:
    """KubeVirt's printable status, where there is one, goes before our words."""
    status = part(obj, "status")
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


KINDS: Final[Mapping[str, Judge]] = {"VirtualMachine": virtual_machine}
