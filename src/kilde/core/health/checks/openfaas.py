"""OpenFaaS functions: ready or stalled; one that is scaled to nothing is suspended."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, number, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, said


def function(obj: Object) -> Health:
    for item in conditions(obj):
        told = (text(item, "type"), text(item, "status"))
        if told in (("Ready", "False"), ("Stalled", "True")):
            return degraded(said(item))
        if told == ("Ready", "True"):
            runs = number(part(obj, "status"), "replicas") > 0
            return healthy(said(item)) if runs else suspended("No replicas available")
    return progressing("Waiting for Function")


KINDS: Final[Mapping[str, Judge]] = {"Function": function}
