"""HorizontalPodAutoscalers: kept within their bounds; there are no metrics, so nothing is scaled by load."""

from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import condition, turn
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, with_status
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Emit,
    Key,
    Moment,
    Patch,
    Step,
    Trigger,
    Update,
    View,
    Write,
    itself,
)

RESOURCE = "horizontalpodautoscalers.autoscaling"
COMPONENT = "horizontal-pod-autoscaler"
TARGETS = {
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicaSet": "replicasets.apps",
    "ReplicationController": "replicationcontrollers",
}


def controller() -> Controller:
    """The autoscaler, woken by its object and by its target."""
    triggers: dict[str, Trigger] = {RESOURCE: itself}
    triggers |= {resource: _of_target(kind) for kind, resource in TARGETS.items()}
    return Controller(COMPONENT, _reduce, triggers)


def _of_target(kind: str) -> Trigger:
    def trigger(obj: Object, view: View) -> list[Key]:
        return [
            Key(namespace_of(scaler), name_of(scaler))
            for scaler in view.every(RESOURCE, namespace_of(obj))
            if (target := (scaler.get("spec") or {}).get("scaleTargetRef") or {}).get("kind") == kind
            and target.get("name") == name_of(obj)
        ]

    return trigger


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    scaler = view.get(RESOURCE, *key)
    if scaler is None or deleting(scaler):
        return NOTHING
    reference = scaler["spec"]["scaleTargetRef"]
    resource = TARGETS.get(reference.get("kind", ""))
    target = view.get(resource, key.namespace, reference["name"]) if resource else None
    if target is None or resource is None:
        return _lost(scaler, reference, moment)
    have = int(target["spec"].get("replicas", 1))
    wanted, limit = _bounded(scaler, have)
    writes: list[Write] = []
    if wanted != have:
        why = (
            "Current number of replicas below Spec.MinReplicas"
            if wanted > have
            else ("Current number of replicas above Spec.MaxReplicas")
        )
        writes.append(Patch(resource, key.namespace, reference["name"], {"spec": {"replicas": wanted}}))
        writes.append(Emit(scaler, "SuccessfulRescale", f"New size: {wanted}; reason: {why}", COMPONENT))
    old = scaler.get("status") or {}
    conditions = old.get("conditions")
    now = moment.now
    for one in (
        condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size", now),
        _active(scaler, have, now),
        condition(
            "ScalingLimited", "True" if limit else "False", limit or "DesiredWithinRange", _limit_text(limit), now
        ),
    ):
        conditions = turn(conditions, one)
    current = int((target.get("status") or {}).get("replicas") or 0)
    status: dict[str, Any] = {**old, "currentReplicas": current, "desiredReplicas": wanted, "conditions": conditions}
    status.setdefault("currentMetrics", None)
    if _differs(status, old):
        writes.append(Update(RESOURCE, with_status(scaler, status), "status"))
    return Step(tuple(writes))


def _differs(new: dict[str, Any], old: dict[str, Any]) -> bool:
    fields = {*new, *old}
    return any((new.get(field) or None) != (old.get(field) or None) for field in fields)


def _bounded(scaler: Object, have: int) -> tuple[int, str]:
    """The size within the bounds, and the reason if a bound decides. A target scaled to 0 is left alone."""
    least, most = int(scaler["spec"].get("minReplicas", 1)), int(scaler["spec"]["maxReplicas"])
    if have == 0:
        return 0, ""
    if have > most:
        return most, "TooManyReplicas"
    return (least, "TooFewReplicas") if have < least else (have, "")


def _limit_text(limit: str) -> str:
    return {
        "TooManyReplicas": "the desired replica count is more than the maximum replica count",
        "TooFewReplicas": "the desired replica count is less than the minimum replica count",
    }.get(limit, "the desired count is within the acceptable range")


def _active(scaler: Object, have: int, now: float) -> dict[str, Any]:
    if have == 0:
        text = "scaling is disabled since the replica count of the target is zero"
        return condition("ScalingActive", "False", "ScalingDisabled", text, now)
    text = "the HPA was able to successfully calculate a replica count (metrics are simulated as steady)"
    return condition("ScalingActive", "True", "ValidMetricFound", text, now)


def _lost(scaler: Object, reference: dict[str, Any], moment: Moment) -> Step:
    """The target is not there."""
    kind, name = reference.get("kind", ""), reference.get("name", "")
    group = reference.get("apiVersion", "").rpartition("/")[0]
    resource = f"{kind.lower()}s" + (f".{group}" if group else "")
    text = f'the HPA controller was unable to get the target\'s current scale: {resource} "{name}" not found'
    old = scaler.get("status") or {}
    conditions = turn(old.get("conditions"), condition("AbleToScale", "False", "FailedGetScale", text, moment.now))
    if conditions == (old.get("conditions") or []):
        return NOTHING
    status = {"currentMetrics": None, "desiredReplicas": 0, **old, "conditions": conditions}
    said = Emit(scaler, "FailedGetScale", text.partition(": ")[2], COMPONENT, "Warning")
    return Step((Update(RESOURCE, with_status(scaler, status), "status"), said))
