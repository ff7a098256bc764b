"""OpenKruise: its workloads, jobs, game servers and rollouts; a partition that is reached waits for somebody."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import number, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended, unknown
from kilde.core.health.judging import Judge

_WAITING: Final = progressing("Waiting for initialization")


def cron_job(obj: Object) -> Health:
    status = part(obj, "status")
    ran = bool(status.get("lastScheduleTime"))
    if not ran and part(obj, "spec").get("paused") is True:
        return suspended("AdvancedCronJob is Paused")
    if status.get("active"):
        return progressing("AdvancedCronJobs has active jobs")
    return healthy(f"{_JOBS} has run successfully") if ran else degraded(f"{_JOBS} has not run successfully")


_JOBS: Final = "AdvancedCronJobs"


def broadcast_job(obj: Object) -> Health:
    status = part(obj, "status")
    phase = text(status, "phase")
    if phase == "completed" and status.get("desired") == status.get("succeeded"):
        return healthy("BroadcastJob is completed successfully")
    if phase == "failed" and status.get("failed") != 0:
        return degraded("BroadcastJob failed")
    if phase == "paused" and part(obj, "spec").get("paused") is True:
        return suspended("BroadcastJob is Paused")
    return progressing("BroadcastJob is still running")


def _is_newest(obj: Object) -> bool:
    return isinstance(obj.get("status"), dict) and _generation(obj) == part(obj, "status").get("observedGeneration")


def _generation(obj: Object) -> object:
    return part(obj, "metadata").get("generation")


def _replicated(name: str, *, is_cloned: bool) -> Judge:
    """CloneSet and StatefulSet; the first counts towards what the update shall reach, the second down to its partition."""

    def judge(obj: Object) -> Health:
        status = part(obj, "status")
        strategy = part(obj, "spec", "updateStrategy", *(() if is_cloned else ("rollingUpdate",)))
        if not _is_newest(obj):
            return _WAITING
        if strategy.get("paused") is True or status.get("updatedAvailableReplicas") is None:
            return suspended(f"{name} is paused")
        if strategy.get("partition") != 0 and number(part(obj, "metadata"), "generation") > 1:
            updated = number(status, "updatedReplicas")
            wanted = number(status, "replicas") - number(strategy, "partition")
            reached = updated >= number(status, "expectedUpdatedReplicas") if is_cloned else updated > wanted
            return suspended(f"{name} needs manual intervention") if reached else _WAITING
        if status.get("updatedAvailableReplicas") == status.get("replicas"):
            return healthy(f"All {name} workloads are ready and updated")
        return degraded("Some replicas are not ready or available")

    return judge


def daemon_set(obj: Object) -> Health:
    status, rolling = part(obj, "status"), part(obj, "spec", "updateStrategy", "rollingUpdate")
    if not _is_newest(obj):
        return _WAITING
    updated, wanted = status.get("updatedNumberScheduled"), status.get("desiredNumberScheduled")
    if rolling.get("paused") is True or updated is None:
        return suspended("Daemonset is paused")
    if rolling.get("partition") not in (None, 0) and number(part(obj, "metadata"), "generation") > 1:
        left = number(status, "desiredNumberScheduled") - number(rolling, "partition")
        reached = number(status, "updatedNumberScheduled") > left
        return suspended("Daemonset needs manual intervention") if reached else _WAITING
    if updated == wanted == status.get("numberAvailable"):
        return healthy("All Daemonset workloads are ready and updated")
    none_works = updated == wanted == status.get("numberUnavailable")
    return degraded("Some pods are not ready or available") if none_works else _WAITING


def game_server(obj: Object) -> Health:
    status = part(obj, "status")
    now, wanted = status.get("currentState"), status.get("desiredState")
    if isinstance(obj.get("status"), dict):
        if now != wanted:
            return progressing(f"State change: {now or 'Unknown'} → {wanted or 'Unknown'}")
        for item in parts(part(status, "podStatus"), "conditions"):
            if text(item, "type") == "KruisePodReady" and text(item, "status") != "True":
                return degraded("Pod is not ready: KruisePodReady")
    return healthy("GameServer is Ready") if now == "Ready" else unknown("Waiting for GameServer to be ready")


def game_server_set(obj: Object) -> Health:
    status, rolling = part(obj, "status"), part(obj, "spec", "updateStrategy", "rollingUpdate")
    if not _is_newest(obj):
        return _NEW_SET
    if rolling.get("paused") is True:
        return suspended("GameServerSet is paused")
    replicas, ready, partition = (
        number(status, "replicas"),
        number(status, "readyReplicas"),
        number(rolling, "partition"),
    )
    if partition and number(status, "updatedReplicas") >= replicas - partition:
        return suspended(f"Partition={partition}, waiting for manual intervention")
    if number(status, "updatedReadyReplicas") == replicas:
        return healthy("All GameServerSet replicas are updated and ready")
    return progressing(f"ReadyReplicas {ready}/{replicas}, still progressing") if ready < replicas else _NEW_SET


_NEW_SET: Final = progressing("Waiting for GameServerSet initialization")


def rollout(obj: Object) -> Health:
    status = part(obj, "status")
    step, phase = text(part(status, "canaryStatus"), "currentStepState"), text(status, "phase")
    if _is_newest(obj):
        if step == "StepPaused" and phase == "Progressing":
            return suspended("Rollout is Paused need manual intervention")
        if step == "Completed" and phase == "Healthy":
            return healthy("Rollout is Completed")
        if step == "StepPaused" and phase in ("Terminating", "Disabled"):
            return degraded("Rollout is Disabled or Terminating")
    return progressing("Rollout is still progressing")


KINDS: Final[Mapping[str, Judge]] = {
    "AdvancedCronJob": cron_job,
    "BroadcastJob": broadcast_job,
    "CloneSet": _replicated("Cloneset", is_cloned=True),
    "DaemonSet": daemon_set,
    "GameServer": game_server,
    "GameServerSet": game_server_set,
    "Rollout": rollout,
    "StatefulSet": _replicated("Statefulset", is_cloned=False),
}
