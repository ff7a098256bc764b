"""Contour: Valid, of the newest generation; a proxy that includes others is well, for they depend on each other."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said

_WAITING: Final = progressing("Waiting for status")


def _newest(obj: Object) -> list[Object]:
    generation = part(obj, "metadata").get("generation")
    return [item for item in conditions(obj) if item.get("observedGeneration") == generation]


def http_proxy(obj: Object) -> Health:
    status = part(obj, "status")
    description = text(status, "description")
    verdict = _WAITING
    if not isinstance(status.get("conditions"), list):
        return progressing(description) if status.get("currentStatus") else verdict
    for item in _newest(obj):
        is_valid, answer = text(item, "type") == "Valid", text(item, "status")
        if is_valid and answer == "True":
            return healthy(description)
        if part(obj, "spec").get("includes") is not None and answer == "False":
            verdict = healthy("HTTPProxy inclusions cannot be health checked")
        elif is_valid and answer == "False":
            return degraded(description)
    return verdict


def extension(obj: Object) -> Health:
    for item in _newest(obj):
        if text(item, "type") == "Valid" and text(item, "status") in ("True", "False"):
            return healthy(said(item)) if text(item, "status") == "True" else degraded(said(item))
    return _WAITING


KINDS: Final[Mapping[str, Judge]] = {"ExtensionService": extension, "HTTPProxy": http_proxy}
