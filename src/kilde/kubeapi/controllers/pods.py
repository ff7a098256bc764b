"""Facts about pods that controllers ask for, and pods made from a template."""

from typing import Any

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.metadata import annotations_of, deleting, owner_reference

TERMINAL = ("Succeeded", "Failed")


def phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_active(pod: Object) -> bool:
    """Neither finished nor being deleted."""
    return phase(pod) not in TERMINAL and not deleting(pod)


def is_terminating(pod: Object) -> bool:
    return deleting(pod) and phase(pod) not in TERMINAL


def is_ready(pod: Object) -> bool:
    found = find((pod.get("status") or {}).get("conditions"), "Ready")
    return found is not None and found.get("status") == "True"


def ready_since(pod: Object) -> float | None:
    """When the pod became ready (seconds since the epoch); None if it is not."""
    found = find((pod.get("status") or {}).get("conditions"), "Ready")
    if found is None or found.get("status") != "True":
        return None
    return parse(found.get("lastTransitionTime", "")) or 0.0


def is_available(pod: Object, min_ready_seconds: int, now: float) -> bool:
    """Ready for at least so many seconds."""
    since = ready_since(pod)
    return since is not None and (min_ready_seconds == 0 or since + min_ready_seconds <= now)


def available_at(pods: list[Object], min_ready_seconds: int, now: float) -> float | None:
    """The next moment at which one of the ready pods becomes available; None if there is none to come."""
    if min_ready_seconds == 0:
        return None
    moments = [since + min_ready_seconds for pod in pods if (since := ready_since(pod)) is not None]
    return min((moment for moment in moments if moment > now), default=None)


def priority(pod: Object) -> int:
    return int(spec_of(pod).get("priority") or 0)


def spec_of(pod: Object) -> dict[str, Any]:
    return pod.get("spec") or {}


def from_template(template: Object, owner: Object, *, namespace: str, labels: dict[str, str] | None = None) -> Object:
    """A pod of that template, controlled by `owner`, with `generateName` as Kubernetes has it: `<owner>-`."""
    meta = template.get("metadata") or {}
    made: dict[str, Any] = {
        "namespace": namespace,
        "generateName": owner["metadata"]["name"] + "-",
        "labels": {**(meta.get("labels") or {}), **(labels or {})},
        "ownerReferences": [owner_reference(owner)],
    }
    for field in ("annotations", "finalizers"):
        if meta.get(field):
            made[field] = meta[field]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": dict(template.get("spec") or {})}


def deletion_rank(pod: Object) -> tuple[int, ...]:
    """Sorts pods as a ReplicaSet gives them up: not bound, pending, not ready, cheap, young first."""
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}
    since = ready_since(pod)
    cost = annotations_of(pod).get("controller.kubernetes.io/pod-deletion-cost", "0")
    created = parse(pod["metadata"].get("creationTimestamp", "")) or 0.0
    return (
        1 if spec_of(pod).get("nodeName") else 0,
        phases.get(phase(pod), 1),
        1 if since is not None else 0,
        int(cost) if cost.lstrip("-").isdigit() else 0,
        -int(since or 0),
        -sum(int(state.get("restartCount") or 0) for state in (pod.get("status") or {}).get("containerStatuses") or ()),
        -int(created),
    )
