"""The scheduler: binds each pod to the least loaded node that fits, or says in the real one's words why none does."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import condition, find, turn
from kilde.kubeapi.controllers.metadata import (
    controller_of,
    deleting,
    generation_of,
    name_of,
    namespace_of,
    uid_of,
    with_status,
)
from kilde.kubeapi.controllers.neighbours import neighbourhood
from kilde.kubeapi.controllers.obstacles import Obstacles, obstacles
from kilde.kubeapi.controllers.placing import amount
from kilde.kubeapi.controllers.pods import TERMINAL, phase, priority, spec_of
from kilde.kubeapi.controllers.preemption import BY_SCHEDULER, Room, best_room, has_made_room
from kilde.kubeapi.controllers.rules import RULES, pod_script
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    SCHEDULER,
    Bind,
    Controller,
    Delete,
    Emit,
    Key,
    Moment,
    Step,
    Update,
    View,
    Write,
)

COMPONENT = "default-scheduler"
_NO_CLAIMS = "no new claims to deallocate"


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
    """All that wait, the most important first."""
    found = sorted((pod for pod in view.on_node("") if _waits(pod)), key=lambda pod: -priority(pod))
    return [Key(namespace_of(pod), name_of(pod)) for pod in found]


def _longing(_: Object, view: View) -> list[Key]:
    """The pods that wait for others to be near, or to be elsewhere."""
    return [key for key in _waiting(_, view) if (pod := view.get("pods", *key)) is not None and _longs(pod)]


def _longs(pod: Object) -> bool:
    spec = spec_of(pod)
    return "podAffinity" in (spec.get("affinity") or {}) or bool(spec.get("topologySpreadConstraints"))


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
    nodes, around = sorted(view.every("nodes"), key=name_of), neighbourhood(pod, view)
    found = {name_of(node): obstacles(pod, node, view, around) for node in nodes}
    fits = [node for node in nodes if not found[name_of(node)].reasons]
    if not fits:
        return _without_room(pod, found, view, moment)
    waited = [node for node in fits if name_of(node) == _nominated(pod)]
    return _bind(pod, _best(pod, waited or fits, view, moment), view)


def _without_room(pod: Object, found: Mapping[str, Obstacles], view: View, moment: Moment) -> Step:
    """Tells why the pod fits nowhere, and makes room for it where less important ones are in the way."""
    if not found:
        return _refuse(pod, "no nodes available to schedule pods", moment)
    told = _counted(len(found), (why for one in found.values() for why in one.reasons))
    if spec_of(pod).get("preemptionPolicy") == "Never":
        return _refuse(pod, f"{told} {_NO_CLAIMS}, preemption: not eligible due to preemptionPolicy=Never.", moment)
    if has_made_room(pod, found, view):
        return NOTHING
    room, reasons = best_room(pod, found, view, moment.now)
    if room is None:
        hoped = _counted(len(found), reasons.elements())
        return _refuse(pod, f"{told} {_NO_CLAIMS}, preemption: {hoped}", moment, nominated="")
    refused = _refuse(pod, told, moment, nominated=room.node)
    return Step((*refused.writes, *_make_room(pod, room, view, moment)))


def _make_room(pod: Object, room: Room, view: View, moment: Moment) -> Iterator[Write]:
    """Lets nobody less important wait for the node, and deletes the pods that are in the way."""
    for one in view.nominated(room.node):
        if priority(one) < priority(pod):
            yield Update("pods", with_status(one, _status_of(one, "")), "status")
    text = f"{COMPONENT}: preempting to accommodate a higher priority pod"
    for victim in room.victims:
        if deleting(victim):
            continue
        new = {"observedGeneration": generation_of(victim)}
        new |= condition("DisruptionTarget", "True", BY_SCHEDULER, text, moment.now)
        status = victim.get("status") or {}
        changed = {**status, "conditions": turn(status.get("conditions"), new)}
        yield Update("pods", with_status(victim, changed), "status")
        told = f"Preempted by pod {uid_of(pod)} on node {room.node}"
        emit = Emit(victim, "Preempted", told, COMPONENT, action="Preempting")
        yield Delete("pods", namespace_of(victim), name_of(victim), uid_of(victim), propagation="", told=emit)


def _counted(nodes: int, reasons: Iterable[str]) -> str:
    counts = sorted(f"{count} {why}" for why, count in Counter(reasons).items())
    return f"0/{nodes} nodes are available: {', '.join(counts)}."


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


def _refuse(pod: Object, message: str, moment: Moment, nominated: str | None = None) -> Step:
    """`nominated`: the node that it waits for from now on; None: as before."""
    step = _condition(pod, "Unschedulable", message, moment, nominated)
    told = Emit(pod, "FailedScheduling", message, COMPONENT, "Warning", action="Scheduling")
    return Step((*step.writes, told)) if step.writes else step


def _condition(pod: Object, reason: str, message: str, moment: Moment, nominated: str | None = None) -> Step:
    status = _status_of(pod, _nominated(pod) if nominated is None else nominated)
    held = find(status.get("conditions"), "PodScheduled")
    if held is not None and (held.get("reason"), held.get("message")) == (reason, message):
        return NOTHING if status == pod.get("status") else Step((Update("pods", with_status(pod, status), "status"),))
    new = {"observedGeneration": pod["metadata"].get("generation", 1)}
    new = {**new, **condition("PodScheduled", "False", reason, message, moment.now), "lastProbeTime": None}
    changed = {**status, "phase": status.get("phase", "Pending"), "conditions": turn(status.get("conditions"), new)}
    return Step((Update("pods", with_status(pod, changed), "status"),))


def _nominated(pod: Object) -> str:
    return (pod.get("status") or {}).get("nominatedNodeName") or ""


def _status_of(pod: Object, nominated: str) -> dict[str, Any]:
    """The pod's status, in which it waits for this node, or for none."""
    kept = {key: value for key, value in (pod.get("status") or {}).items() if key != "nominatedNodeName"}
    return {**kept, "nominatedNodeName": nominated} if nominated else kept
