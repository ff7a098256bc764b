"""Pulumi's stacks: stalled, at work or ready, of the newest generation."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge, When, by_conditions, ill, well

_told: Final = by_conditions(
    ill("Stalled"),
    When("Reconciling", "True", HealthStatus.PROGRESSING),
    well("Ready"),
    waiting="Waiting for the stack to be reconciled",
)


def stack(obj: Object) -> Health:
    status, generation = part(obj, "status"), part(obj, "metadata").get("generation")
    is_seen = isinstance(obj.get("status"), dict) and status.get("observedGeneration") == generation
    return _told(obj) if is_seen else progressing("Waiting for the operator to observe the latest spec change")


KINDS: Final[Mapping[str, Judge]] = {"Stack": stack}
