"""Numaplane's rollouts: under way, failed, paused, or as well as their children."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge, first, said

_CHILDREN: Final = "ChildResourcesHealthy"


def _kind(failure: str, lost: str, *, pause: str = "", is_progressive: bool = True) -> Judge:
    """`failure`: the reason for which unwell children count ("": any but Progressing)."""

    def judge(obj: Object) -> Health:
        if under_way := _under_way(obj, is_progressive=is_progressive):
            return progressing(under_way)
        status = part(obj, "status")
        if text(status, "phase") == "Failed":
            return degraded(said(status))
        for item in conditions(obj):
            kind, answer, reason = text(item, "type"), text(item, "status"), text(item, "reason")
            if kind == _CHILDREN and answer == "False" and (reason == failure or not failure):
                return degraded(said(item))
            if is_progressive and kind == _UPGRADE and answer == "False":
                return degraded("Progressive upgrade failed")
        if pause and (paused := first(obj, pause, "True")):
            return healthy(said(paused))
        return healthy("Healthy") if first(obj, _CHILDREN, "True") else unknown(lost)

    return judge


_UPGRADE: Final = "ProgressiveUpgradeSucceeded"


def _under_way(obj: Object, *, is_progressive: bool) -> str:
    status = part(obj, "status")
    observed, generation = status.get("observedGeneration"), part(obj, "metadata").get("generation")
    if not isinstance(obj.get("status"), dict) or observed != generation:
        return "Not yet reconciled"
    has_failed = is_progressive and first(obj, _UPGRADE, "False") is not None
    if (text(status, "upgradeInProgress") or text(status, "phase") == "Pending") and not has_failed:
        return "Update in progress"
    waits = any(
        text(item, "type") == _CHILDREN and text(item, "status") == "False" and text(item, "reason") == "Progressing"
        for item in conditions(obj)
    )
    return "Child Progressing" if waits else ""


KINDS: Final[Mapping[str, Judge]] = {
    "ISBServiceRollout": _kind("ISBSvcFailed", "Unknown status"),
    "MonoVertexRollout": _kind("MonoVertexFailed", "Unknown MonoVertex status", pause="MonoVertexPausingOrPaused"),
    "NumaflowControllerRollout": _kind("", "Unknown status", is_progressive=False),
    "PipelineRollout": _kind("PipelineFailed", "Unknown Pipeline status", pause="PipelinePausingOrPaused"),
}
