"""The Atlas operator: schemas and migrations, each with its own sign that it is at work."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, first


def _kind(field: str, *working: str) -> Judge:
    def judge(obj: Object) -> Health:
        ready = first(obj, "Ready")
        if ready is None:
            return progressing("Waiting for Atlas Operator")
        reason = text(ready, "reason")
        if text(ready, "status") == "True":
            return healthy(reason)
        return progressing(reason) if text(ready, field) in working else degraded(reason)

    return judge


KINDS: Final[Mapping[str, Judge]] = {
    "AtlasMigration": _kind("reason", "Reconciling"),
    "AtlasSchema": _kind("message", "Reconciling", "GettingDevDB"),
}
