"""MetalLB: its operator's conditions, and what its components say of the configuration; pools and peers tell nothing."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing
from kilde.core.health.judging import Judge, When, by_rank, ill, well


def configuration_state(obj: Object) -> Health:
    status = part(obj, "status")
    if text(status, "result") == "Invalid":
        return degraded(text(status, "lastError") or "Configuration is invalid")
    if text(status, "result") == "Valid":
        return healthy("Configuration is valid")
    return progressing("Waiting for the configuration to be read")


KINDS: Final[Mapping[str, Judge]] = {
    "ConfigurationState": configuration_state,
    "MetalLB": by_rank(
        ill("Degraded"),
        When("Progressing", "True", HealthStatus.PROGRESSING),
        well("Available", "MetalLB is available"),
        waiting="Waiting for MetalLB",
    ),
}
