"""Preemption: which pods of less priority make room for one that fits nowhere (upstream: scheduler/framework/preemption)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.metadata import deleting, labels_of, name_of, namespace_of
from kilde.kubeapi.controllers.obstacles import Imagined, Obstacles, obstacles
from kilde.kubeapi.controllers.pods import TERMINAL, phase, priority
from kilde.kubeapi.controllers.selecting import is_empty, selects
from kilde.kubeapi.controllers.steps import View

BY_SCHEDULER = "PreemptionByScheduler"
_HELPLESS, _NO_VICTIM = "Preemption is not helpful for scheduling", "No preemption victims found for incoming pod"
_LEAST = 2**31  # makes every priority count for something


class Room(NamedTuple):
    """A node that has room once these pods are gone, the most important first; so many of them budgets would keep."""

    node: str
    victims: tuple[Object, ...]
    kept: int


def has_made_room(pod: Object, found: Mapping[str, Obstacles], view: View) -> bool:
    """Whether pods that the pod has preempted are still ending. `found` is what is in its way, by node."""
    node = (pod.get("status") or {}).get("nominatedNodeName") or ""
    if node not in found or not found[node].movable:
        return False
    return any(priority(one) < priority(pod) and _is_preempted(one) for one in view.on_node(node))


def _is_preempted(pod: Object) -> bool:
    told = find((pod.get("status") or {}).get("conditions"), "DisruptionTarget") or {}
    return deleting(pod) and (told.get("status"), told.get("reason")) == ("True", BY_SCHEDULER)


def best_room(pod: Object, found: Mapping[str, Obstacles], view: View, now: float) -> tuple[Room | None, Counter[str]]:
    """The node on which the least is lost by making room; None if there is none, and why, in how many cases."""
    rooms, reasons = [], Counter[str]()
    for name, one in found.items():
        node = view.get("nodes", "", name)
        made = _room(pod, node, view, now) if node is not None and one.movable else Obstacles((_HELPLESS,))
        if isinstance(made, Room):
            rooms.append(made)
        else:
            reasons.update(made.reasons)
    return min(rooms, key=lambda one: _loss(one, now), default=None), reasons


def _room(pod: Object, node: Object, view: View, now: float) -> Room | Obstacles:
    """What must go for the pod; or what is in its way even without all that may go."""
    lower = [one for one in view.on_node(name_of(node)) if phase(one) not in TERMINAL and priority(one) < priority(pod)]
    if not lower:
        return Obstacles((_NO_VICTIM,))
    found = obstacles(pod, node, Imagined(view, gone=lower))
    if found.reasons:
        return found
    lower.sort(key=lambda one: _importance(one, now))
    guarded, others = _by_budgets(lower, view.every("poddisruptionbudgets.policy"))
    gone, kept = lower, 0
    for one in (*guarded, *others):  # who need not go, stays
        rest = [other for other in gone if other is not one]
        if obstacles(pod, node, Imagined(view, gone=rest)).reasons:
            kept += one in guarded
        else:
            gone = rest
    return Room(name_of(node), tuple(gone), kept)


def _by_budgets(pods: Iterable[Object], budgets: Iterable[Object]) -> tuple[list[Object], list[Object]]:
    """The pods that disruption budgets do not let go, and the others."""
    allowed = [(one, int((one.get("status") or {}).get("disruptionsAllowed") or 0)) for one in budgets]
    guarded, others = list[Object](), list[Object]()
    for pod in pods:
        left = [(one, count - 1 if _is_about(one, pod) else count) for one, count in allowed]
        spent = any(now < before and now < 0 for (_, before), (_, now) in zip(allowed, left, strict=True))
        allowed = left
        (guarded if spent else others).append(pod)
    return guarded, others


def _is_about(budget: Object, pod: Object) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    disrupted = (budget.get("status") or {}).get("disruptedPods") or {}
    if namespace_of(budget) != namespace_of(pod) or is_empty(selector) or name_of(pod) in disrupted:
        return False
    return bool(labels_of(pod)) and selects(selector, labels_of(pod))


def _importance(pod: Object, now: float) -> tuple[int, float]:
    return -priority(pod), _begun(pod, now)


def _begun(pod: Object, now: float) -> float:
    return parse((pod.get("status") or {}).get("startTime") or "") or now


def _loss(room: Room, now: float) -> tuple[float, ...]:
    """What is lost by making room, the worst first: budgets, the highest priority, all priorities, pods, time that they have run."""
    first = room.victims[0]
    oldest = min(_begun(one, now) for one in room.victims if priority(one) == priority(first))
    total = sum(priority(one) + _LEAST for one in room.victims)
    return room.kept, priority(first), total, len(room.victims), -oldest
