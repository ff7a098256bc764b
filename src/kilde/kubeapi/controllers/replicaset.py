"""ReplicaSets and ReplicationControllers: as many pods as asked for, made and given up in upstream's order."""

from functools import partial
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.claiming import claim
from kilde.kubeapi.controllers.conditions import condition, find, put, without
from kilde.kubeapi.controllers.metadata import (
    controller_of,
    deleting,
    dense,
    generation_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
    with_status,
)
from kilde.kubeapi.controllers.pods import (
    available_at,
    deletion_rank,
    from_template,
    is_active,
    is_available,
    is_ready,
    is_terminating,
)
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Emit,
    Key,
    Moment,
    Reduce,
    Refusals,
    Step,
    Trigger,
    Update,
    View,
    Write,
    itself,
)

BURST = 500


def controller() -> Controller:
    """The controller of `apps/v1` ReplicaSets."""
    return _controller("replicasets.apps", "ReplicaSet", "replicaset-controller")


def replication_controller() -> Controller:
    """The controller of `v1` ReplicationControllers, whose selector is a plain map of labels."""
    return _controller("replicationcontrollers", "ReplicationController", "replication-controller")


def _controller(resource: str, kind: str, name: str) -> Controller:
    reduce: Reduce = partial(_reduce, resource, name)
    return Controller(name, reduce, {resource: itself, "pods": owner_keys(kind, resource)})


def owner_keys(kind: str, resource: str) -> Trigger:
    """The trigger that wakes the owner (of that kind) of a changed object, or all who might adopt an orphan."""

    def trigger(obj: Object, view: View) -> list[Key]:
        owner, namespace = controller_of(obj), namespace_of(obj)
        if owner is not None:
            return [Key(namespace, owner["name"])] if owner.get("kind") == kind else []
        if deleting(obj) or not labels_of(obj):
            return []
        return [Key(namespace, name_of(candidate)) for candidate in view.every(resource, namespace)]

    return trigger


def _selector(owner: Object) -> dict[str, Any]:
    found = owner["spec"].get("selector") or {}
    return {"matchLabels": found} if owner["kind"] == "ReplicationController" else found


def _reduce(resource: str, component: str, key: Key, view: View, moment: Moment) -> Step:
    owner = view.get(resource, *key)
    if owner is None:
        return NOTHING
    claimed = claim(owner, _selector(owner), "pods", view)
    writes: list[Write] = list(claimed.writes)
    if not deleting(owner):
        writes += _pods_due(owner, [pod for pod in claimed.objects if is_active(pod)], component)
    return Step(tuple(writes), then=partial(_settle, resource, component, key))


def _pods_due(owner: Object, active: list[Object], component: str) -> list[Write]:
    missing = int(owner["spec"].get("replicas", 1)) - len(active)
    if missing > 0:
        pod = from_template(owner["spec"]["template"], owner, namespace=namespace_of(owner))
        told = Emit(owner, "SuccessfulCreate", "Created pod: {name}", component)
        return [Create("pods", pod, told)] * min(missing, BURST)
    spare = sorted(active, key=deletion_rank)[: min(-missing, BURST)]
    return [
        Delete(
            "pods",
            namespace_of(pod),
            name_of(pod),
            uid_of(pod),
            told=Emit(owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", component),
        )
        for pod in spare
    ]


def _settle(resource: str, component: str, key: Key, view: View, moment: Moment, refusals: Refusals) -> Step:
    owner = view.get(resource, *key)
    if owner is None:
        return NOTHING
    pods = claim(owner, _selector(owner), "pods", view).objects
    status = _status(owner, pods, moment, refusals)
    writes: list[Write] = [
        Emit(owner, "FailedCreate", f"Error creating: {refusal.message}", component, "Warning")
        for refusal in refusals
        if isinstance(refusal.write, Create)
    ]
    if status != (owner.get("status") or {}):
        writes.append(Update(resource, with_status(owner, status), "status"))
    active = [pod for pod in pods if is_active(pod)]
    return Step(tuple(writes), wake=available_at(active, int(owner["spec"].get("minReadySeconds") or 0), moment.now))


def _status(owner: Object, pods: list[Object], moment: Moment, refusals: Refusals) -> dict[str, Any]:
    active = [pod for pod in pods if is_active(pod)]
    minimum = int(owner["spec"].get("minReadySeconds") or 0)
    template = (owner["spec"].get("template") or {}).get("metadata", {}).get("labels") or {}
    status: dict[str, Any] = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(template.items() <= labels_of(pod).items() for pod in active),
        "readyReplicas": sum(is_ready(pod) for pod in active),
        "availableReplicas": sum(is_available(pod, minimum, moment.now) for pod in active),
        "observedGeneration": generation_of(owner),
    }
    always = ["replicas"]
    if owner["kind"] == "ReplicaSet":
        status["terminatingReplicas"] = sum(is_terminating(pod) for pod in pods)
        always.append("terminatingReplicas")
    status["conditions"] = _conditions(owner, len(active), moment, refusals)
    return dense(status, *always)


def _conditions(owner: Object, have: int, moment: Moment, refusals: Refusals) -> list[dict[str, Any]]:
    old = (owner.get("status") or {}).get("conditions") or []
    failed = next((refusal for refusal in refusals if isinstance(refusal.write, Create | Delete)), None)
    if failed is not None:
        if find(old, "ReplicaFailure") is not None:
            return list(old)
        reason = "FailedCreate" if isinstance(failed.write, Create) else "FailedDelete"
        return put(old, condition("ReplicaFailure", "True", reason, failed.message, moment.now))
    return without(old, "ReplicaFailure") if have == int(owner["spec"].get("replicas", 1)) else list(old)
