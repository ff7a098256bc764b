"""Elastic's Elasticsearch: enough nodes, then its phase, then its own colour."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import maybe_number, number, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge

_UNKNOWN: Final = unknown(
    "Elasticsearch Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a bug report: "
    "https://github.com/argoproj/argo-cd/issues"
)
_ADVICE: Final = "Check the status of indices, replicas and shards"
_COLOURS: Final = {
    "green": healthy("Elasticsearch Cluster status is Green"),
    "yellow": degraded(f"Elasticsearch Cluster status is Yellow. {_ADVICE}"),
    "red": degraded(f"Elasticsearch Cluster status is Red. {_ADVICE}"),
}
_PHASES: Final = {
    "ApplyingChanges": progressing("Elasticsearch phase is ApplyingChanges"),
    "MigratingData": progressing("Elasticsearch phase is MigratingData"),
    "Invalid": degraded("Elasticsearch phase is Invalid"),
}


def elasticsearch(obj: Object) -> Health:
    status = part(obj, "status")
    there, wanted = maybe_number(status, "availableNodes"), _nodes(obj)
    if there is None or there > wanted:
        return _UNKNOWN
    if there < wanted:
        return progressing(f"The desired amount of nodes is {wanted} but the amount of availableNodes is {there}")
    phase, colour = text(status, "phase"), status.get("health")
    if not isinstance(colour, str):
        return _UNKNOWN
    return _COLOURS.get(colour, _UNKNOWN) if phase == "Ready" else _PHASES.get(phase, _UNKNOWN)


def _nodes(obj: Object) -> int:
    return sum(number(nodes, "count") for nodes in parts(part(obj, "spec"), "nodeSets"))


KINDS: Final[Mapping[str, Judge]] = {"Elasticsearch": elasticsearch}
