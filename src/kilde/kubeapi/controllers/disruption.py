"""PodDisruptionBudgets: how many pods may go now (upstream: controller/disruption)."""

from typing import Any

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import condition, turn
from kilde.kubeapi.controllers.metadata import (
    controller_of,
    deleting,
    generation_of,
    labels_of,
    name_of,
    namespace_of,
    with_status,
)
from kilde.kubeapi.controllers.naming import scaled
from kilde.kubeapi.controllers.pods import TERMINAL, is_ready, phase
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
    pods = [
        pod
        for pod in view.every("pods", key.namespace)
        if selects(selector, labels_of(pod)) and phase(pod) not in TERMINAL
    ]
    old: dict[str, Any] = budget.get("status") or {}
    disrupted = _disrupted(old, pods, moment.now)
    expected, desired = _bounds(budget, pods, view)
    healthy = sum(is_ready(pod) and not deleting(pod) and name_of(pod) not in disrupted for pod in pods)
    allowed = max(0, healthy - desired) if expected else 0
    answer = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    new = {"observedGeneration": generation_of(budget), **condition("DisruptionAllowed", *answer, "", moment.now)}
    new["message"] = ""
    status: dict[str, Any] = {
        "observedGeneration": generation_of(budget),
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "conditions": turn(old.get("conditions"), new),
    }
    if disrupted:
        status["disruptedPods"] = disrupted
    writes: list[Write] = []
    if not pods and not old.get("observedGeneration"):
        writes.append(Emit(budget, "NoPods", "No matching pods found", COMPONENT))
    if status != old:
        writes.append(Update(RESOURCE, with_status(budget, status), "status"))
    wake = min(((parse(time) or 0.0) + _FORGOTTEN for time in disrupted.values()), default=None)
    return Step(tuple(writes), wake=wake)


def _disrupted(status: dict[str, Any], pods: list[Object], now: float) -> dict[str, str]:
    """Evicted pods that are not gone yet, by name, with the time of the eviction."""
    alive = {name_of(pod) for pod in pods if not deleting(pod)}
    held = status.get("disruptedPods") or {}
    return {name: time for name, time in held.items() if name in alive and (parse(time) or 0.0) + _FORGOTTEN > now}


def _bounds(budget: Object, pods: list[Object], view: View) -> tuple[int, int]:
    """(expected pods, healthy pods that must stay)."""
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        expected = _expected(pods, view)
        return expected, max(0, expected - scaled(spec["maxUnavailable"], expected, round_up=True))
    least = spec.get("minAvailable", 1)
    if isinstance(least, int):
        return len(pods), least
    expected = _expected(pods, view)
    return expected, scaled(least, expected, round_up=True)


def _expected(pods: list[Object], view: View) -> int:
    """The sum of what the pods' controllers are to have; pods without one count for themselves."""
    owners: dict[str, int] = {}
    for pod in pods:
        owner = controller_of(pod)
        held = (
            view.get(_SCALES[owner["kind"]], namespace_of(pod), owner["name"])
            if owner and owner["kind"] in _SCALES
            else None
        )
        key = owner["uid"] if owner and held else name_of(pod)
        owners[key] = int(held["spec"].get("replicas", 1)) if held else 1
    return sum(owners.values())
