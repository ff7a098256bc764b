"""VerticalPodAutoscaler: it matches pods, and has a recommendation for them."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said


def autoscaler(obj: Object) -> Health:
    """No pods matched goes before a recommendation."""
    true = {text(item, "type"): item for item in conditions(obj) if text(item, "status") == "True"}
    if lonely := true.get("NoPodsMatched"):
        return degraded(said(lonely, text(lonely, "reason") or "No pods match the VPA selector"))
    if "RecommendationProvided" in true:
        return healthy("VPA recommendation provided")
    return progressing("Waiting for VPA recommendation")


KINDS: Final[Mapping[str, Judge]] = {"VerticalPodAutoscaler": autoscaler}
