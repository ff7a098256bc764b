"""kro: graphs, and the instances of what they define; only conditions of the newest generation are read."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, is_talking, said

_SILENT: Final = progressing("Waiting for KRO to report status")
_GRAPH: Final = frozenset({"GraphRevisionsResolved", "GraphAccepted", "KindReady", "ControllerReady", "Ready"})
_INSTANCE: Final = frozenset({"InstanceManaged", "GraphResolved", "ResourcesReady", "Ready"})


def _newest(obj: Object) -> list[Object]:
    generation = part(obj, "metadata").get("generation")
    return [item for item in conditions(obj) if generation is not None and item.get("observedGeneration") == generation]


def graph(obj: Object) -> Health:
    for item in _newest(obj):
        kind, answer = text(item, "type"), text(item, "status")
        if kind == "Ready" and answer == "True":
            return healthy("ResourceGraphDefinition is active and serving instances")
        if kind in _GRAPH and answer == "False":
            return degraded(said(item, f"{kind} is False"))
    return progressing("Waiting for ResourceGraphDefinition to become ready") if is_talking(obj) else _SILENT


def instance(obj: Object) -> Health:
    """A condition that is False is Degraded or progress, as the state says; with another state it is passed over."""
    state = text(part(obj, "status"), "state")
    for item in _newest(obj):
        kind, answer = text(item, "type"), text(item, "status")
        if kind == "Ready" and answer == "True":
            return healthy("Instance is active and running")
        if kind in _INSTANCE and answer == "False":
            if state in ("FAILED", "ERROR"):
                return degraded(said(item, f"{kind} is False"))
            if state == "IN_PROGRESS":
                return progressing(said(item, f"{kind} is in progress"))
    return progressing("Waiting for instance to become ready") if is_talking(obj) else _SILENT


KINDS: Final[Mapping[str, Judge]] = {"ResourceGraphDefinition": graph, "_": instance}
