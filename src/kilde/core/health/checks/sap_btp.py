"""The SAP BTP service operator: instances and bindings are well unless a condition of theirs has failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, is_of_another, is_talking, said


def judge(obj: Object) -> Health:
    for item in conditions(obj):
        if is_of_another(obj, item):
            return progressing("Waiting for spec update to be observed")
        if (text(item, "type"), text(item, "status")) in (("Succeeded", "False"), ("Failed", "True")):
            return degraded(said(item))
    return healthy("Ready to use") if is_talking(obj) else progressing("Waiting for status")


KINDS: Final[Mapping[str, Judge]] = dict.fromkeys(("ServiceBinding", "ServiceInstance"), judge)
