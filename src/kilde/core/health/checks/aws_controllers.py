"""AWS Controllers for Kubernetes (ACK): a terminal error, or Ready, of any kind of any service."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import HealthStatus
from kilde.core.health.judging import Judge, When, by_conditions, ill, well

KINDS: Final[Mapping[str, Judge]] = {
    "_": by_conditions(
        ill("ACK.Terminal"),
        When("Ready", "False", HealthStatus.PROGRESSING),
        well("Ready", ""),
        waiting="Waiting for resource to be ready",
    )
}
