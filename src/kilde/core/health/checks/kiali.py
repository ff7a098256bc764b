"""Kiali: what its Ansible operator says of its last run."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import HealthStatus
from kilde.core.health.judging import Judge, When, by_conditions, ill, well

KINDS: Final[Mapping[str, Judge]] = {
    "Kiali": by_conditions(
        well("Successful"),
        ill("Failure"),
        When("Running", "", HealthStatus.PROGRESSING, reason="Running"),
        waiting="Waiting for Kiali",
    )
}
