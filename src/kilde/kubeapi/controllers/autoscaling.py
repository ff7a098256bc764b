"""HorizontalPodAutoscalers: kept within their bounds, and scaled by what scripts say that pods use; without a script load is steady."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import condition, turn
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, with_status
from kilde.kubeapi.controllers.rules import RULES
from kilde.kubeapi.controllers.selecting import selected
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
from kilde.kubeapi.controllers.usage import NoUsage, Proposal, metrics_of, proposals

RESOURCE = "horizontalpodautoscalers.autoscaling"
COMPONENT = "horizontal-pod-autoscaler"
_EVERY, _STABLE_FOR = 15.0, 300.0  # seconds: upstream's sync period, and its window before a target shrinks
_PODS_AT_ONCE = 4  # upstream's default: twice as many, or so many more, within a period
_SAID = ((-1.0, 0),)  # the memo of a problem that was told
TARGETS = {
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicaSet": "replicasets.apps",
    "ReplicationController": "replicationcontrollers",
}


def controller(*, measured: bool) -> Controller:
    """The autoscaler, woken by its object and by its target; `measured`: load that no script gives is steady, not unknown."""
    triggers: dict[str, Trigger] = {RESOURCE: itself, RULES: _every}
    triggers |= {resource: _of_target(kind) for kind, resource in TARGETS.items()}
    return Controller(COMPONENT, partial(_reduce, measured), triggers)


def _every(_: Object, view: View) -> list[Key]:
    return [Key(namespace_of(scaler), name_of(scaler)) for scaler in view.every(RESOURCE)]


def _of_target(kind: str) -> Trigger:
    def trigger(obj: Object, view: View) -> list[Key]:
        return [
            Key(namespace_of(scaler), name_of(scaler))
            for scaler in view.every(RESOURCE, namespace_of(obj))
            if (target := (scaler.get("spec") or {}).get("scaleTargetRef") or {}).get("kind") == kind
            and target.get("name") == name_of(obj)
        ]

    return trigger


def _reduce(measured: bool, key: Key, view: View, moment: Moment) -> Step:
    scaler = view.get(RESOURCE, *key)
    if scaler is None or deleting(scaler):
        return NOTHING
    due = _due(scaler, moment)
    if moment.now < due:
        return Step(wake=due, memo=moment.memo)
    reference = scaler["spec"]["scaleTargetRef"]
    resource = TARGETS.get(reference.get("kind", ""))
    target = view.get(resource, key.namespace, reference["name"]) if resource else None
    if target is None or resource is None:
        return _lost(scaler, reference, moment)
    have = int(target["spec"].get("replicas", 1))
    found = _recommended(scaler, target, have, view, moment)
    resources = [one["resource"] for one in metrics_of(scaler) if one.get("type") == "Resource"]
    if not measured and resources and not found.proposals and not _bounded(scaler, have)[1] and have:
        return _unmeasured(scaler, resources, have, moment)
    wanted, limit = _bounded(scaler, found.replicas)
    writes: list[Write] = []
    if wanted != have:
        why = _reason(scaler, have, wanted, found)
        writes.append(Patch(resource, key.namespace, reference["name"], {"spec": {"replicas": wanted}}))
        writes.append(Emit(scaler, "SuccessfulRescale", f"New size: {wanted}; reason: {why}", COMPONENT))
    if found.problem and moment.memo != found.memo:
        writes.append(Emit(scaler, "FailedGetResourceMetric", found.problem, COMPONENT, "Warning"))
    old = scaler.get("status") or {}
    conditions = old.get("conditions")
    now = moment.now
    for one in (
        _able(have, wanted, found, now),
        _active(scaler, have, found, now),
        condition(
            "ScalingLimited", "True" if limit else "False", limit or "DesiredWithinRange", _limit_text(limit), now
        ),
    ):
        conditions = turn(conditions, one)
    current = int((target.get("status") or {}).get("replicas") or 0)
    status: dict[str, Any] = {**old, "currentReplicas": current, "desiredReplicas": wanted, "conditions": conditions}
    status |= _measured(found)
    status.setdefault("currentMetrics", None)
    if wanted != have:
        status["lastScaleTime"] = rfc3339(now)
    if _differs(status, old):
        writes.append(Update(RESOURCE, with_status(scaler, status), "status"))
    return Step(tuple(writes), wake=now + _EVERY if found.proposals or found.problem else None, memo=found.memo)


def _due(scaler: Object, moment: Moment) -> float:
    """When to look: for the first time a period after it was made, and then a period after the last measurement."""
    if moment.memo and moment.memo != _SAID:
        return float(moment.memo[-1][0]) + _EVERY
    return (parse(scaler["metadata"].get("creationTimestamp", "")) or 0.0) + _EVERY


@dataclass(frozen=True, slots=True)
class _Found:
    """What the metrics ask for. `memo` keeps the sizes asked for lately; `held` is whether they keep the target from shrinking."""

    replicas: int
    proposals: tuple[Proposal, ...] = ()
    problem: str = ""
    held: bool = False
    memo: tuple[tuple[float, int], ...] = ()


def _recommended(scaler: Object, target: Object, have: int, view: View, moment: Moment) -> _Found:
    if not have or not metrics_of(scaler):
        return _Found(have)
    pods = selected(target["spec"].get("selector"), view.every("pods", namespace_of(target)))
    try:
        found = tuple(proposals(scaler, pods, have, view))
    except NoUsage as why:
        return _Found(
            have, problem=f"failed to get {metrics_of(scaler)[0]['resource']['name']} utilization: {why}", memo=_SAID
        )
    if not found:
        return _Found(have)
    asked = max(proposal.replicas for proposal in found)
    behavior = scaler["spec"].get("behavior") or {}
    window = float((behavior.get("scaleDown") or {}).get("stabilizationWindowSeconds", _STABLE_FOR))
    memo = tuple(one for one in moment.memo or () if one[0] > moment.now - window) if moment.memo != _SAID else ()
    memo = (*memo, (moment.now, asked))
    if asked > have:
        return _Found(min(asked, max(have + _PODS_AT_ONCE, have * 2)), found, memo=memo)
    calm = min(have, max(size for _, size in memo))
    return _Found(calm, found, held=calm > asked, memo=memo)


def _reason(scaler: Object, have: int, wanted: int, found: _Found) -> str:
    if have < int(scaler["spec"].get("minReplicas", 1)):
        return "Current number of replicas below Spec.MinReplicas"
    if have > int(scaler["spec"]["maxReplicas"]):
        return "Current number of replicas above Spec.MaxReplicas"
    if wanted > have:
        return f"{max(found.proposals, key=lambda one: one.replicas).metric} above target"
    return "All metrics below target"


def _able(have: int, wanted: int, found: _Found, now: float) -> dict[str, Any]:
    if wanted != have:
        text = f"the HPA controller was able to update the target scale to {wanted}"
        return condition("AbleToScale", "True", "SucceededRescale", text, now)
    if found.held:
        text = "recent recommendations were higher than current one, applying the highest recent recommendation"
        return condition("AbleToScale", "True", "ScaleDownStabilized", text, now)
    return condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size", now)


def _measured(found: _Found) -> dict[str, Any]:
    """The part of the status that shows the metrics."""
    if not found.proposals:
        return {}
    return {"currentMetrics": [dict(one.status) for one in found.proposals]}


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


def _active(scaler: Object, have: int, found: _Found, now: float) -> dict[str, Any]:
    if have == 0:
        text = "scaling is disabled since the replica count of the target is zero"
        return condition("ScalingActive", "False", "ScalingDisabled", text, now)
    if found.problem:
        text = f"the HPA was unable to compute the replica count: {found.problem}"
        return condition("ScalingActive", "False", "FailedGetResourceMetric", text, now)
    told = (
        f"from {max(found.proposals, key=lambda one: one.replicas).metric}" if found.proposals else "(load is steady)"
    )
    text = f"the HPA was able to successfully calculate a replica count {told}"
    return condition("ScalingActive", "True", "ValidMetricFound", text, now)


def _unmeasured(scaler: Object, resources: list[dict[str, Any]], have: int, moment: Moment) -> Step:
    """Nothing measures: the words of a cluster without the resource metrics API."""
    first = resources[0]
    what = "utilization" if (first.get("target") or {}).get("averageUtilization") else "usage"
    lacks = "the server could not find the requested resource (get pods.metrics.k8s.io)"
    why = (
        f"failed to get {first['name']} {what}: unable to get metrics for resource {first['name']}: "
        f"unable to fetch metrics from resource metrics API: {lacks}"
    )
    text = f"the HPA was unable to compute the replica count: {why}"
    able = "the HPA controller was able to get the target's current scale"
    old = scaler.get("status") or {}
    conditions = turn(old.get("conditions"), condition("AbleToScale", "True", "SucceededGetScale", able, moment.now))
    conditions = turn(conditions, condition("ScalingActive", "False", "FailedGetResourceMetric", text, moment.now))
    count = len(metrics_of(scaler))
    unknown = {"currentMetrics": [{"type": ""}] * count, "currentReplicas": have, "conditions": conditions}
    status = {"desiredReplicas": 0, **old, **unknown}
    whole = f"invalid metrics ({len(resources)} invalid out of {count}), first error is: "
    said = (
        Emit(scaler, "FailedGetResourceMetric", why, COMPONENT, "Warning"),
        Emit(
            scaler,
            "FailedComputeMetricsReplicas",
            f"{whole}failed to get {first['name']} resource metric value: {why}",
            COMPONENT,
            "Warning",
        ),
    )
    if not _differs(status, old):
        return Step(memo=_SAID)
    return Step((Update(RESOURCE, with_status(scaler, status), "status"), *said), memo=_SAID)


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
