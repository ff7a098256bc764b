"""PodDisruptionBudgets: how many pods may go now (upstream: controller/disruption)."""

from typing import Any, NamedTuple

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import condition, turn
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
from kilde.kubeapi.controllers.naming import scaled
from kilde.kubeapi.controllers.pods import is_ready
from kilde.kubeapi.controllers.selecting import selects
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Emit,
    Key,
    Moment,
    Step,
    Update,
    View,
    Write,
    itself,
)

RESOURCE = "poddisruptionbudgets.policy"
COMPONENT = "controllermanager"
_FORGOTTEN = 120.0  # seconds after which an evicted pod that is still there counts again
_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the status of the PDB "
    "cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set "
    '".spec.minAvailable" field of the PDB to an integer value.'
)
_SCALELESS = {"Job": "jobs.batch", "DaemonSet": "daemonsets.apps"}
_SCALES = {
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicationController": "replicationcontrollers",
}


def controller() -> Controller:
    """The disruption controller."""
    return Controller("disruption-controller", _reduce, {RESOURCE: itself, "pods": _guarding})


def _guarding(pod: Object, view: View) -> list[Key]:
    return [
        Key(namespace_of(budget), name_of(budget))
        for budget in view.every(RESOURCE, namespace_of(pod))
        if selects((budget.get("spec") or {}).get("selector"), labels_of(pod))
    ]


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    budget = view.get(RESOURCE, *key)
    if budget is None or deleting(budget):
        return NOTHING
    selector = budget["spec"].get("selector")
    pods = [pod for pod in view.every("pods", key.namespace) if selects(selector, labels_of(pod))]
    writes: list[Write] = []
    if not pods:
        writes.append(Emit(budget, "NoPods", "No matching pods found", COMPONENT))
    try:
        found = _bounds(budget, pods, view)
    except _NoScale as why:
        return Step((*writes, *_failed(budget, str(why), moment.now)))
    if found.unmanaged:
        text = _UNMANAGED.format(selector=_go(selector))
        writes.append(Emit(budget, "UnmanagedPods", text, COMPONENT, "Warning"))
    old: dict[str, Any] = budget.get("status") or {}
    disrupted = _disrupted(old, pods, moment.now)
    healthy = sum(is_ready(pod) and not deleting(pod) and name_of(pod) not in disrupted for pod in pods)
    allowed = max(0, healthy - found.desired) if found.expected else 0
    answer = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    status: dict[str, Any] = {
        "observedGeneration": generation_of(budget),
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": found.desired,
        "expectedPods": found.expected,
        "conditions": turn(old.get("conditions"), _condition(budget, *answer, "", moment.now)),
    }
    if disrupted:
        status["disruptedPods"] = disrupted
    if status != old:
        writes.append(Update(RESOURCE, with_status(budget, status), "status"))
    wake = min(((parse(time) or 0.0) + _FORGOTTEN for time in disrupted.values()), default=None)
    return Step(tuple(writes), wake=wake)


def _condition(budget: Object, status: str, reason: str, message: str, now: float) -> dict[str, Any]:
    made = condition("DisruptionAllowed", status, reason, message, now)
    return {"observedGeneration": generation_of(budget), **made, "message": message}


def _failed(budget: Object, why: str, now: float) -> list[Write]:
    """Nothing may go where the number of pods is not known."""
    text = f"Failed to calculate the number of expected pods: {why}"
    writes: list[Write] = [Emit(budget, "CalculateExpectedPodCountFailed", text, COMPONENT, "Warning")]
    old: dict[str, Any] = budget.get("status") or {}
    new = _condition(budget, "False", "SyncFailed", why, now) | {
        "observedGeneration": int(old.get("observedGeneration") or 0)
    }
    zeros = dict.fromkeys(("currentHealthy", "desiredHealthy", "expectedPods"), 0)
    status = {**zeros, **old, "disruptionsAllowed": 0, "conditions": turn(old.get("conditions"), dense(new, "message"))}
    if status != old:
        writes.append(Update(RESOURCE, with_status(budget, status), "status"))
    return writes


def _go(selector: dict[str, Any] | None) -> str:
    """A label selector as Go prints it."""
    labels = "".join(f"{key}: {value}," for key, value in sorted(((selector or {}).get("matchLabels") or {}).items()))
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},Values:[{' '.join(one.get('values') or ())}],}},"
        for one in (selector or {}).get("matchExpressions") or ()
    )
    inner = f"MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{rules}}},"
    return f"&LabelSelector{{{inner}}}"


def _disrupted(status: dict[str, Any], pods: list[Object], now: float) -> dict[str, str]:
    """Evicted pods that are not gone yet, by name, with the time of the eviction."""
    alive = {name_of(pod) for pod in pods if not deleting(pod)}
    held = status.get("disruptedPods") or {}
    return {name: time for name, time in held.items() if name in alive and (parse(time) or 0.0) + _FORGOTTEN > now}


class _Bounds(NamedTuple):
    """How many pods there are to be, how many must stay well, and whether some have no controller."""

    expected: int
    desired: int
    unmanaged: bool = False


class _NoScale(Exception):
    """A pod's controller that does not say how many pods it is to have; the words are upstream's."""


def _bounds(budget: Object, pods: list[Object], view: View) -> _Bounds:
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        expected, unmanaged = _expected(pods, view)
        return _Bounds(expected, max(0, expected - scaled(spec["maxUnavailable"], expected, round_up=True)), unmanaged)
    least = spec.get("minAvailable")
    if least is None:
        return _Bounds(0, 0)
    if isinstance(least, int):
        return _Bounds(len(pods), least)
    expected, unmanaged = _expected(pods, view)
    return _Bounds(expected, scaled(least, expected, round_up=True), unmanaged)


def _expected(pods: list[Object], view: View) -> tuple[int, bool]:
    """(the sum of what the pods' controllers are to have, whether some pods have none)."""
    owners: dict[str, int] = {}
    unmanaged = False
    for pod in pods:
        owner = controller_of(pod)
        if owner is None:
            unmanaged = True
            continue
        uid, replicas = _scale(owner, pod, view)
        owners[uid] = replicas
    return sum(owners.values()), unmanaged


def _scale(owner: dict[str, Any], pod: Object, view: View) -> tuple[str, int]:
    """(the uid of who decides on the number of a pod's like, that number): a ReplicaSet's Deployment, or the owner itself."""
    if owner["kind"] in _SCALELESS:
        raise _NoScale(f"{_SCALELESS[owner['kind']]} does not implement the scale subresource")
    resource = _SCALES.get(owner["kind"])
    if resource is None:
        return name_of(pod), 1  # of a custom kind, whose scale is not seen from here
    held = view.get(resource, namespace_of(pod), owner["name"])
    if held is not None and (above := controller_of(held)) and above["kind"] == "Deployment":
        owner, held = above, view.get("deployments.apps", namespace_of(pod), above["name"])
    if held is None or uid_of(held) != owner["uid"]:
        raise _NoScale(f'found no controllers for pod "{name_of(pod)}"')
    return owner["uid"], int(held["spec"].get("replicas", 1))
