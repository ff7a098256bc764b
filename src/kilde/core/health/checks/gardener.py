"""Gardener's Shoot: a label that its controllers keep tells."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge

_LABEL: Final = "shoot.gardener.cloud/status"
_WORDS: Final = {
    "healthy": healthy("Component state: Healthy"),
    "progressing": progressing("Component state: Update in progress"),
    "unknown": unknown("Component state: Unknown"),
}


def shoot(obj: Object) -> Health:
    """An unhealthy shoot is Degraded at once: without a clock, how long it has been so is not known."""
    label = text(part(obj, "metadata", "labels"), _LABEL)
    if label != "unhealthy":
        return _WORDS.get(label, progressing("Update in progress"))
    lasting = any(text(item, "status") != "True" for item in conditions(obj))
    return degraded(f"Component state: Unhealthy{' (> 15 minutes)' if lasting else ''}")


KINDS: Final[Mapping[str, Judge]] = {"Shoot": shoot}
