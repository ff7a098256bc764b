"""Istio's operator: the install's status, as a word or its number."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge

_WAITING: Final = progressing("Waiting for Istio Control Plane")
_WORDS: Final = {
    "NONE": unknown("Component is not present."),
    "UPDATING": progressing("Component is being updated to a different version."),
    "RECONCILING": progressing("Controller has started but not yet completed reconciliation loop for the component."),
    "HEALTHY": healthy("Component is healthy."),
    "ERROR": degraded("Component is in an error state."),
}
_NUMBERS: Final = tuple(_WORDS)


def operator(obj: Object) -> Health:
    word = part(obj, "status").get("status")
    if isinstance(word, int) and not isinstance(word, bool) and 0 <= word < len(_NUMBERS):
        word = _NUMBERS[word]
    return _WORDS.get(word, _WAITING) if isinstance(word, str) else _WAITING


KINDS: Final[Mapping[str, Judge]] = {"IstioOperator": operator}
