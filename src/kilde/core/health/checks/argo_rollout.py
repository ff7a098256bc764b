"""Argo Rollout: since 1.0 its phase tells; before, conditions, pauses and replicas."""

import re
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, maybe_number, number, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, suspended
from kilde.core.health.judging import INVALID, said

_UNSEEN: Final = progressing("Waiting for rollout spec update to be observed")
_PHASES: Final = {**{str(word): word for word in HealthStatus}, "Paused": HealthStatus.SUSPENDED}
_ABORTED: Final = ("RolloutAborted", "ProgressDeadlineExceeded")
_WORKLOAD: Final = "rollout.argoproj.io/workload-generation"


def judge(obj: Object) -> Health:
    """Not observed, then what 1.0 writes of itself, then failures, pauses and the state of the roll-out."""
    status = part(obj, "status")
    if not status or not _is_observed(obj, status):
        return _UNSEEN
    phase = status.get("phase")
    if phase is not None:
        verdict = _PHASES.get(str(phase))
        return Health(verdict, said(status)) if verdict else INVALID
    return _failure(obj) or _pause(obj, status) or _progress(obj, status)


def _is_observed(obj: Object, status: Object) -> bool:
    """Generations up to 0.9 were hashes, perhaps of digits only: what cannot be a generation counts as seen."""
    metadata = part(obj, "metadata")
    generation, observed = number(metadata, "generation"), _number(status.get("observedGeneration"))
    if observed is not None and observed < generation:
        return False
    annotations = part(metadata, "annotations")
    if not part(obj, "spec").get("workloadRef") or not annotations:
        return True
    return _number(annotations.get(_WORKLOAD)) == _number(status.get("workloadObservedGeneration"))


def _number(value: object) -> int | None:
    if isinstance(value, int):
        return int(value)
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value) else None


def _failure(obj: Object) -> Health | None:
    for item in conditions(obj):
        kind = text(item, "type")
        if kind == "InvalidSpec" or (kind == "Progressing" and text(item, "reason") in _ABORTED):
            return degraded(said(item))
    return None


def _pause(obj: Object, status: Object) -> Health | None:
    paused = status.get("pauseConditions") or part(obj, "spec").get("paused") is True
    return suspended("Rollout is paused") if paused else None


def _progress(obj: Object, status: Object) -> Health:
    pods = status.get("currentPodHash")
    if pods is None:
        return progressing("Waiting for rollout to finish: status has not been reconciled.")
    wanted = maybe_number(part(obj, "spec"), "replicas")
    updated = number(status, "updatedReplicas")
    if updated < (1 if wanted is None else wanted):
        return progressing("Waiting for roll out to finish: More replicas need to be updated")
    if number(status, "availableReplicas") < updated:
        return progressing("Waiting for roll out to finish: updated replicas are still becoming available")
    strategy = part(obj, "spec", "strategy")
    if isinstance(strategy.get("blueGreen"), dict):
        return _blue_green(status, pods)
    return _canary(status, pods, updated) if isinstance(strategy.get("canary"), dict) else healthy("")


def _blue_green(status: Object, pods: object) -> Health:
    if part(status, "blueGreen").get("activeSelector") != pods:
        return progressing("active service cutover pending")
    if _stable(status) not in ("", pods):
        return progressing("waiting for analysis to complete")
    return healthy("")


def _canary(status: Object, pods: object, updated: int) -> Health:
    if number(status, "replicas") > updated:
        return progressing("Waiting for roll out to finish: old replicas are pending termination")
    return healthy("") if _stable(status) == pods else progressing("Waiting for rollout to finish steps")


def _stable(status: Object) -> str:
    """The stable ReplicaSet; before 0.8 it was in status.canary."""
    return text(status, "stableRS") or text(part(status, "canary"), "stableRS")
