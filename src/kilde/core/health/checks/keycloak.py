"""Keycloak: ready or with errors, whichever became so first."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing
from kilde.core.health.judging import Judge, said


def keycloak(obj: Object) -> Health:
    """Conditions are read from the oldest to the newest; those of no time last."""
    if not isinstance(part(obj, "status").get("conditions"), list):
        return progressing("Waiting for Keycloak status conditions to exist")
    for item in sorted(conditions(obj), key=_age):
        if text(item, "status") == "True" and text(item, "type") == "Ready":
            return HEALTHY
        if text(item, "status") == "True" and text(item, "type") == "HasErrors":
            return degraded(f"Has Errors: {said(item)}")
    return progressing("")


def _age(item: Object) -> tuple[bool, str]:
    since = text(item, "lastTransitionTime")
    return not since, since


KINDS: Final[Mapping[str, Judge]] = {"Keycloak": keycloak}
