"""The scheduler: binds each pod to the least loaded node that fits, or says in the real one's words why none does."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import condition, find, turn
from kilde.kubeapi.controllers.metadata import controller_of, deleting, name_of, namespace_of, uid_of, with_status
from kilde.kubeapi.controllers.neighbours import apart, misses_company, spread_obstacle, taken_ports
from kilde.kubeapi.controllers.placing import (
    UNSCHEDULABLE,
    amount,
    exceeds,
    forbidding_taint,
    shortages,
    tolerates,
    wants_node,
)
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.rules import RULES, pod_script
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    SCHEDULER,
    Bind,
    Controller,
    Emit,
    Key,
    Moment,
    Step,
    Update,
    View,
    Write,
)

COMPONENT = "default-scheduler"
_HELPLESS, _NO_VICTIM = "Preemption is not helpful for scheduling", "No preemption victims found for incoming pod"


def controller() -> Controller:
    """Pods wait for nodes, for room (a pod that is gone) and for their claims."""
    triggers = {"pods": _pods, "nodes": _waiting, "persistentvolumeclaims": _waiting, RULES: _waiting}
    return Controller(COMPONENT, _reduce, triggers, manager=SCHEDULER, workers=1)


def _pods(pod: Object, view: View) -> list[Key]:
    if not _waits(pod):
        gone = phase(pod) in TERMINAL or view.get("pods", namespace_of(pod), name_of(pod)) is None
        return _waiting(pod, view) if gone else _longing(pod, view)
    return [Key(namespace_of(pod), name_of(pod))]


def _waiting(_: Object, view: View) -> list[Key]:
    return [Key(namespace_of(pod), name_of(pod)) for pod in view.on_node("") if _waits(pod)]


def _longing(_: Object, view: View) -> list[Key]:
    """The pods that wait for others to be near."""
    return [key for key in _waiting(_, view) if "podAffinity" in _affinity(view.get("pods", *key))]


def _affinity(pod: Object | None) -> Mapping[str, Any]:
    return (spec_of(pod).get("affinity") or {}) if pod is not None else {}


def _waits(pod: Object) -> bool:
    return (
        not spec_of(pod).get("nodeName")
        and not deleting(pod)
        and phase(pod) not in TERMINAL
        and spec_of(pod).get("schedulerName", COMPONENT) == COMPONENT
    )


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    pod = view.get("pods", *key)
    if pod is None or not _waits(pod):
        return NOTHING
    if spec_of(pod).get("schedulingGates"):
        return _condition(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", moment)
    scripted = pod_script(pod, view).unschedulable
    if scripted is not None:
        nodes_there = len(list(view.every("nodes")))
        text = f"0/{nodes_there} nodes are available: {scripted or 'simulated by a script'}."
        return _refuse(pod, text, moment)
    why = _claims(pod, view)
    if why:
        return _refuse(pod, why, moment)
    fits, nodes = [], sorted(view.every("nodes"), key=name_of)
    reasons, hopes = Counter[str](), Counter[str]()
    for node in nodes:
        found = _obstacles(pod, node, view)
        reasons.update(found.reasons)
        hopes[_NO_VICTIM if found.movable else _HELPLESS] += 1
        if not found.reasons:
            fits.append(node)
    if not fits:
        return _refuse(pod, _no_room(len(nodes), reasons, hopes), moment)
    return _bind(pod, _best(pod, fits, view, moment), view)


class _Obstacles(NamedTuple):
    """Why a pod may not run on a node, in the words of the first filter that says no; `movable`: other pods are in the way."""

    reasons: tuple[str, ...] = ()
    movable: bool = False


def _obstacles(pod: Object, node: Object, view: View) -> _Obstacles:
    why = _of_node(spec_of(pod), node)
    if why:
        return _Obstacles((why,))
    others = list(view.on_node(name_of(node)))
    if taken_ports(pod, others):
        return _Obstacles(("node(s) didn't have free ports for the requested pod ports",), movable=True)
    if lacks := shortages(pod, node, view.load(name_of(node))):
        return _Obstacles(tuple(lacks), movable=not exceeds(pod, node))
    if crowded := spread_obstacle(pod, node, view):
        return _Obstacles((crowded,), movable="missing" not in crowded)
    if "affinity" not in spec_of(pod):
        return _Obstacles()
    if misses_company(pod, node, view):
        return _Obstacles(("node(s) didn't match pod affinity rules",))
    if apart(pod, others):
        return _Obstacles(("node(s) didn't match pod anti-affinity rules",), movable=True)
    return _Obstacles()


def _of_node(spec: Mapping[str, Any], node: Object) -> str:
    """What of the node itself forbids the pod; empty if nothing does."""
    tolerations = spec.get("tolerations") or []
    cordon = {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
    if (node.get("spec") or {}).get("unschedulable") and not tolerates(tolerations, cordon):
        return "node(s) were unschedulable"
    if forbidding_taint(node, tolerations, ("NoSchedule", "NoExecute")) is not None:
        return "node(s) had untolerated taint(s)"
    return "" if wants_node(spec, node) else "node(s) didn't match Pod's node affinity/selector"


def _no_room(nodes: int, reasons: Counter[str], hopes: Counter[str]) -> str:
    if not nodes:
        return "no nodes available to schedule pods"
    told, hoped = (", ".join(sorted(f"{count} {why}" for why, count in found.items())) for found in (reasons, hopes))
    begin = f"0/{nodes} nodes are available"
    return f"{begin}: {told}. no new claims to deallocate, preemption: {begin}: {hoped}."


def _best(pod: Object, fits: list[Object], view: View, moment: Moment) -> Object:
    """The node with the fewest pods of the same owner, then the least load, then the fewest pods; dice decide the rest."""
    owner = controller_of(pod)
    kin = Counter(spec_of(other).get("nodeName") for other in (view.owned("pods", owner["uid"]) if owner else ()))

    def load(node: Object) -> tuple[int, Fraction, int]:
        held = view.load(name_of(node))
        room = (node.get("status") or {}).get("allocatable") or {}
        share = Fraction(0)
        for resource in ("cpu", "memory"):
            total = amount(room.get(resource, "0"))
            share = max(share, held.asked.get(resource, Fraction(0)) / total if total else Fraction(1))
        return kin[name_of(node)], share, held.pods

    loads = [load(node) for node in fits]
    best = [node for node, found in zip(fits, loads, strict=True) if found == min(loads)]
    return best[int(moment.dice * len(best)) % len(best)]


def _bind(pod: Object, node: Object, view: View) -> Step:
    text = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {name_of(node)}"
    told = Emit(pod, "Scheduled", text, COMPONENT, action="Binding")
    return Step((Bind(namespace_of(pod), name_of(pod), uid_of(pod), name_of(node), told),))


def _claims(pod: Object, view: View) -> str:
    """Why the pod's claims keep it from being scheduled; empty if they do not."""
    for volume in spec_of(pod).get("volumes") or ():
        source = volume.get("persistentVolumeClaim")
        name = source["claimName"] if source else f"{name_of(pod)}-{volume['name']}" if "ephemeral" in volume else ""
        if not name:
            continue
        claim = view.get("persistentvolumeclaims", namespace_of(pod), name)
        nodes = len(list(view.every("nodes")))
        if claim is None:
            return f'0/{nodes} nodes are available: persistentvolumeclaim "{name}" not found. not found'
        if deleting(claim):
            return f'0/{nodes} nodes are available: persistentvolumeclaim "{name}" is being deleted. not found'
        if (claim.get("status") or {}).get("phase") != "Bound" and not _binds_later(claim, view):
            return f"0/{nodes} nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    return ""


def _binds_later(claim: Object, view: View) -> bool:
    name = claim["spec"].get("storageClassName")
    found = view.get("storageclasses.storage.k8s.io", "", name) if name else None
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def _refuse(pod: Object, message: str, moment: Moment) -> Step:
    step = _condition(pod, "Unschedulable", message, moment)
    told = Emit(pod, "FailedScheduling", message, COMPONENT, "Warning", action="Scheduling")
    return Step((*step.writes, told)) if step.writes else step


def _condition(pod: Object, reason: str, message: str, moment: Moment) -> Step:
    status: dict[str, Any] = pod.get("status") or {}
    held = find(status.get("conditions"), "PodScheduled")
    if held is not None and (held.get("reason"), held.get("message")) == (reason, message):
        return NOTHING
    new = {"observedGeneration": pod["metadata"].get("generation", 1)}
    new = {**new, **condition("PodScheduled", "False", reason, message, moment.now), "lastProbeTime": None}
    changed = {**status, "phase": status.get("phase", "Pending"), "conditions": turn(status.get("conditions"), new)}
    writes: tuple[Write, ...] = (Update("pods", with_status(pod, changed), "status"),)
    return Step(writes)
