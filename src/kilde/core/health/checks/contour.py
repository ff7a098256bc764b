"""Contour's HTTPProxy: valid or not, with a description."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, HealthStatus, progressing
from kilde.core.health.judging import Judge

_WORDS: Final = {"valid": HealthStatus.HEALTHY, "invalid": HealthStatus.DEGRADED}


def http_proxy(obj: Object) -> Health:
    status = part(obj, "status")
    word = status.get("currentStatus")
    if not isinstance(word, str):
        return progressing("Waiting for status")
    return Health(_WORDS.get(word, HealthStatus.PROGRESSING), text(status, "description"))


KINDS: Final[Mapping[str, Judge]] = {"HTTPProxy": http_proxy}
