"""Karmada's bindings: as many clusters have answered as are bound, and all are well."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, parts, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing
from kilde.core.health.judging import Judge

_WAITING: Final = progressing("Current resource status is insufficient")


def _binding(*, needs_clusters: bool) -> Judge:
    def judge(obj: Object) -> Health:
        bound = part(obj, "spec").get("clusters")
        answers = parts(part(obj, "status"), "aggregatedStatus")
        if not answers or (bound is None and needs_clusters):
            return _WAITING
        if bound is not None and (not isinstance(bound, list) or len(bound) != len(answers)):
            return _WAITING
        for one in answers:
            health = text(one, "health")
            if health == "Unhealthy" or (health == "Unknown" and one.get("applied") is not True):
                return degraded("Current resource status is unhealthy")
        return HEALTHY

    return judge


KINDS: Final[Mapping[str, Judge]] = {
    "ClusterResourceBinding": _binding(needs_clusters=True),
    "ResourceBinding": _binding(needs_clusters=False),
}
