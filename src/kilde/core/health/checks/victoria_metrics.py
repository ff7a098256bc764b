"""The VictoriaMetrics operator: one word for all its kinds."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge

_WORDS: Final = {
    "expanding": progressing("Reconciliation in progress"),
    "paused": suspended("Reconciliation is paused"),
    "failed": degraded("Reconciliation failed"),
}


def judge(obj: Object) -> Health:
    """A status of another generation is not read; the operator's reason goes before our words."""
    status, generation = part(obj, "status"), part(obj, "metadata").get("generation")
    observed = status.get("observedGeneration")
    if not isinstance(obj.get("status"), dict) or (None not in (observed, generation) and observed != generation):
        return progressing("Waiting for the operator to reconcile")
    word = text(status, "updateStatus")
    if word == "operational":
        return healthy("All components are operational")
    if word == "ignored":
        return healthy("Resource was not picked by any parent object")
    found = _WORDS.get(word)
    if found is None:
        return progressing("Waiting for the operator to report status")
    return Health(found.status, text(status, "reason") or found.message)


KINDS: Final[Mapping[str, Judge]] = {"_": judge}
