"""Gardener's Shoot: a label that its controllers keep tells."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge

_LABEL: Final = "shoot.gardener.cloud/status"
_WORDS: Final = {
    "healthy": healthy("Component state: Healthy"),
    "progressing": progressing("Component state: Update in progress"),
    "unhealthy": degraded("Component state: Unhealthy"),
    "unknown": unknown("Component state: Unknown"),
}


def shoot(obj: Object) -> Health:
    return _WORDS.get(text(part(obj, "metadata", "labels"), _LABEL), progressing("Update in progress"))


KINDS: Final[Mapping[str, Judge]] = {"Shoot": shoot}
