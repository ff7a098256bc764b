"""Proclaim's DNS-SD instances: adopted, advertised, then found."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge, said


def instance(obj: Object) -> Health:
    last = {text(item, "type"): item for item in conditions(obj)}
    adopted, advertised, found = (last.get(kind, {}) for kind in ("Adopted", "Advertised", "Discoverable"))
    if text(adopted, "status") == "False":
        return degraded(said(adopted))
    if text(advertised, "reason") in ("AdvertiseError", "UnadvertiseError"):
        return degraded(said(advertised))
    if text(found, "reason") == "DiscoveryError":
        return unknown(said(found))
    return healthy(said(found)) if text(found, "status") == "True" else progressing(said(found))


KINDS: Final[Mapping[str, Judge]] = {"DNSSDServiceInstance": instance}
