"""Progress: the status of a Deployment, its conditions and the deadline (upstream: deployment/progress and sync)."""

from typing import Any

from kilde.core.basics.moment import parse, rfc3339
from kilde.kubeapi.controllers.conditions import Condition, find, without
from kilde.kubeapi.controllers.deployment.fleet import Fleet, counted, total
from kilde.kubeapi.controllers.metadata import dense, generation_of, name_of

NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
NO_DEADLINE = 2**31 - 1


def progress_condition(status: str, reason: str, message: str, now: float) -> Condition:
    time = rfc3339(now)
    return {
        "type": "Progressing",
        "status": status,
        "lastUpdateTime": time,
        "lastTransitionTime": time,
        "reason": reason,
        "message": message,
    }


def settle(conditions: list[Condition], new: Condition) -> list[Condition]:
    """Upstream's SetDeploymentCondition: the same status and reason change nothing; the changed one goes to the end."""
    old = find(conditions, new["type"])
    if old is not None and old["status"] == new["status"] and old.get("reason") == new.get("reason"):
        return conditions
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return [*without(conditions, new["type"]), new]


def has_deadline(fleet: Fleet) -> bool:
    deadline = fleet.spec.get("progressDeadlineSeconds")
    return deadline is not None and int(deadline) != NO_DEADLINE


def calculate(fleet: Fleet, conditions: list[Condition], collisions: int | None, now: float) -> dict[str, Any]:
    """The counts and the Available condition, on top of the given conditions."""
    available = counted(fleet.every, "availableReplicas")
    if available >= fleet.wanted - fleet.max_unavailable:
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    found = {**progress_condition(*verdict, now), "type": "Available"}
    status = {
        "observedGeneration": generation_of(fleet.deployment),
        "replicas": counted(fleet.every, "replicas"),
        "updatedReplicas": counted([fleet.new], "replicas") if fleet.new is not None else 0,
        "readyReplicas": counted(fleet.every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(fleet.every) - available),
        "terminatingReplicas": counted(fleet.every, "terminatingReplicas"),
        "collisionCount": collisions,
        "conditions": settle(conditions, found),
    }
    return dense(status, "terminatingReplicas")


def complete(fleet: Fleet, status: dict[str, Any]) -> bool:
    """Whether every replica is new and available, and the controller has seen the newest spec."""
    return bool(
        status.get("updatedReplicas", 0) == fleet.wanted
        and status.get("replicas", 0) == fleet.wanted
        and status.get("availableReplicas", 0) == fleet.wanted
        and status.get("observedGeneration", 0) >= generation_of(fleet.deployment)
    )


def with_progress(fleet: Fleet, status: dict[str, Any], now: float) -> dict[str, Any]:
    """The status with Progressing and ReplicaFailure brought up to date (upstream: syncRolloutStatus)."""
    conditions: list[Condition] = status.get("conditions", [])
    current = find(conditions, "Progressing")
    at_rest = (
        current is not None
        and current.get("reason") == NEW_AVAILABLE
        and status.get("replicas", 0) == status.get("updatedReplicas", 0)
    )
    if has_deadline(fleet) and not at_rest:
        conditions = _progressing(fleet, status, conditions, now)
    failure = next((c for rs in _failing_first(fleet) if (c := _failure(rs.get("status") or {})) is not None), None)
    conditions = settle(conditions, failure) if failure is not None else without(conditions, "ReplicaFailure")
    return {**status, "conditions": conditions}


def _progressing(fleet: Fleet, status: dict[str, Any], conditions: list[Condition], now: float) -> list[Condition]:
    subject = (
        f'ReplicaSet "{name_of(fleet.new)}"' if fleet.new is not None else f'Deployment "{name_of(fleet.deployment)}"'
    )
    if complete(fleet, status):
        return settle(
            conditions, progress_condition("True", NEW_AVAILABLE, f"{subject} has successfully progressed.", now)
        )
    if _moved(status, fleet.deployment.get("status") or {}):
        made = progress_condition("True", "ReplicaSetUpdated", f"{subject} is progressing.", now)
        current = find(conditions, "Progressing")
        if current is not None and current["status"] == "True":
            made["lastTransitionTime"] = current["lastTransitionTime"]
        return [*without(conditions, "Progressing"), made]
    if timed_out(fleet, conditions, now):
        return settle(conditions, progress_condition("False", TIMED_OUT, f"{subject} has timed out progressing.", now))
    return conditions


def _moved(new: dict[str, Any], old: dict[str, Any]) -> bool:
    def number(status: dict[str, Any], field: str) -> int:
        return int(status.get(field) or 0)

    return (
        number(new, "updatedReplicas") > number(old, "updatedReplicas")
        or number(new, "replicas") - number(new, "updatedReplicas")
        < number(old, "replicas") - number(old, "updatedReplicas")
        or number(new, "readyReplicas") > number(old, "readyReplicas")
        or number(new, "availableReplicas") > number(old, "availableReplicas")
    )


def timed_out(fleet: Fleet, conditions: list[Condition], now: float) -> bool:
    current = find(conditions, "Progressing")
    if current is None or current.get("reason") == NEW_AVAILABLE:
        return False
    return current.get("reason") == TIMED_OUT or _deadline(fleet, current) <= now


def deadline(fleet: Fleet, status: dict[str, Any]) -> float | None:
    """When the rollout will have timed out, if nothing moves; None if it is done, paused or has no deadline."""
    current = find(status.get("conditions"), "Progressing")
    if current is None or not has_deadline(fleet) or fleet.spec.get("paused"):
        return None
    if complete(fleet, status) or current.get("reason") in (NEW_AVAILABLE, TIMED_OUT):
        return None
    return _deadline(fleet, current)


def _deadline(fleet: Fleet, current: Condition) -> float:
    return (parse(current.get("lastUpdateTime", "")) or 0.0) + int(fleet.spec["progressDeadlineSeconds"])


def _failing_first(fleet: Fleet) -> list[dict[str, Any]]:
    return ([fleet.new] if fleet.new is not None else []) + list(fleet.old)


def _failure(status: dict[str, Any]) -> Condition | None:
    found = find(status.get("conditions"), "ReplicaFailure")
    if found is None:
        return None
    return {**found, "lastUpdateTime": found["lastTransitionTime"]}
