"""Elastic's Elasticsearch (enough nodes, then its phase, then its own colour), Beat and Logstash (a colour)."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import maybe_number, number, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge, by_word

_BUG: Final = (
    "Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues"
)
_UNKNOWN: Final = unknown(f"Elasticsearch Cluster status is unknown. {_BUG}")
_NO_BEAT: Final = unknown(f"Elastic Beat status is unknown. {_BUG}")
_ADVICE: Final = "Check the status of indices, replicas and shards"
_COLOURS: Final = {
    "green": healthy("Elasticsearch Cluster status is Green"),
    "yellow": progressing(f"Elasticsearch Cluster status is Yellow. {_ADVICE}"),
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
        return progressing(f"The desired amount of availableNodes is {wanted} but the current amount is {there}")
    phase, colour = text(status, "phase"), status.get("health")
    if not isinstance(colour, str):
        return _UNKNOWN
    return _COLOURS.get(colour, _UNKNOWN) if phase == "Ready" else _PHASES.get(phase, _UNKNOWN)


def _nodes(obj: Object) -> int:
    return sum(number(nodes, "count") for nodes in parts(part(obj, "spec"), "nodeSets"))


def beat(obj: Object) -> Health:
    status = part(obj, "status")
    colour, there, wanted = status.get("health"), status.get("availableNodes"), status.get("expectedNodes")
    if colour == "red":
        return degraded("Elastic Beat status is Red")
    if colour == "green":
        return healthy("Elastic Beat status is Green")
    if colour == "yellow" and None not in (there, wanted):
        return progressing(f"Elastic Beat status is deploying, there is {there} instance(s) on {wanted} expected")
    is_moving = colour == "yellow" or (colour is None and wanted is not None)
    return progressing("Elastic Beat phase is progressing") if is_moving else _NO_BEAT


KINDS: Final[Mapping[str, Judge]] = {
    "Beat": beat,
    "Elasticsearch": elasticsearch,
    "Logstash": by_word(
        "health",
        {
            "green": healthy("Logstash status is Green"),
            "yellow": progressing("Logstash status is Yellow"),
            "red": degraded("Logstash status is Red"),
        },
        absent=progressing("Waiting for Logstash"),
    ),
}
