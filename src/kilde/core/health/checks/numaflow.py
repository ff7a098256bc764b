"""Numaflow: pipelines, vertices and buffers by phase; any condition that is False, or a failed upgrade, is Degraded."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said

_RESULT: Final = "numaplane.numaproj.io/progressive-result-state"


def _kind(name: str, *pauses: str, tells: bool, upgrades: bool = True) -> Judge:
    """`tells`: what is unwell is told in the words of the last such condition; `upgrades`: Numaplane's label counts."""

    def judge(obj: Object) -> Health:
        status = part(obj, "status")
        phase, bad = text(status, "phase"), [item for item in conditions(obj) if text(item, "status") == "False"]
        has_status = isinstance(obj.get("status"), dict)
        if not has_status or part(obj, "metadata").get("generation") != status.get("observedGeneration"):
            return progressing(f"Waiting for {name} status")
        if phase == "Failed":
            return degraded(said(status))
        if upgrades and text(part(obj, "metadata", "labels"), _RESULT) == "failed":
            return degraded("Failed progressive upgrade")
        if bad:
            return degraded(said(bad[-1]) if tells else "Subresources are unhealthy")
        if phase in pauses:
            return healthy(f"{name} is paused")
        return healthy(f"{name} is healthy") if phase == "Running" else progressing(f"Waiting for {name} status")

    return judge


KINDS: Final[Mapping[str, Judge]] = {
    "InterStepBufferService": _kind("InterStepBufferService", tells=True),
    "MonoVertex": _kind("MonoVertex", "Paused", tells=False),
    "Pipeline": _kind("Pipeline", "Paused", "Pausing", tells=False),
    "Vertex": _kind("Vertex", "Paused", tells=True, upgrades=False),
}
