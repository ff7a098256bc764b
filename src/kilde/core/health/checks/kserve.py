"""KServe: inference services by how their model loads and every condition, those of language models by Ready."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, healthy, progressing, suspended
from kilde.core.health.judging import Judge, is_behind, is_of_another, is_talking, said

_SILENT: Final = progressing("Waiting for InferenceService to report status...")
_SILENT_LLM: Final = progressing("Waiting for LLMInferenceService to report status...")


def inference(obj: Object) -> Health:
    """A model that is not loaded is Degraded unless it is on its way; what is not True is told, numbered from 1."""
    transition = part(obj, "status", "modelStatus").get("transitionStatus")
    has_model = isinstance(part(obj, "status").get("modelStatus"), dict)
    if not is_talking(obj):
        return _SILENT
    is_loaded = not has_model or transition == "UpToDate"
    told, is_well = "" if is_loaded else f"0: transitionStatus | {transition}", is_loaded
    for index, item in enumerate(conditions(obj), start=1):
        kind, answer = text(item, "type"), text(item, "status")
        if kind == "Stopped" and answer == "True":
            return suspended("InferenceService is Stopped")
        if kind != "Stopped" and answer != "True":
            told += f" | {index}: {_words(item, ' | ')}"
        is_well = is_well and answer != "Unknown" and (answer != "False" or kind == "Stopped")
    if is_well:
        return healthy("InferenceService is healthy.")
    is_lost = not is_loaded and transition != "InProgress"
    return Health(HealthStatus.DEGRADED if is_lost else HealthStatus.PROGRESSING, told)


def language_model(obj: Object) -> Health:
    """Stopped, then Ready; what else is not True says why."""
    if not is_talking(obj):
        return _SILENT_LLM
    found = list(conditions(obj))
    ready = next((item for item in reversed(found) if text(item, "type") == "Ready"), {})
    if is_behind(obj) or is_of_another(obj, ready):
        return progressing("Waiting for LLMInferenceService reconciliation (generation mismatch)")
    if any(text(item, "reason") == "Stopped" for item in found):
        return suspended("LLMInferenceService is Stopped")
    answer = text(ready, "status")
    if answer == "True":
        return healthy("LLMInferenceService is healthy.")
    amiss = [item for item in found if text(item, "type") != "Ready" and text(item, "status") != "True"]
    told = "; ".join(_words(item, ": ") for item in amiss) or said(ready) or _SILENT_LLM.message
    return Health(HealthStatus.DEGRADED if answer == "False" else HealthStatus.PROGRESSING, told)


def _words(item: Object, between: str) -> str:
    words = f"{text(item, 'type')}{between}{text(item, 'status')}"
    return " | ".join(filter(None, (words, text(item, "reason"), text(item, "message"))))


KINDS: Final[Mapping[str, Judge]] = {"InferenceService": inference, "LLMInferenceService": language_model}
