"""Eviction: pods leave nodes whose taints they do not bear (tainteviction), or that are no more or never were theirs (podgc)."""

from functools import partial
from typing import Any

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, generation_of, name_of, namespace_of, uid_of, with_status
from kilde.kubeapi.controllers.placing import tolerates
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Delete, Emit, Key, Moment, Step, Update, View

COMPONENT = "taint-eviction-controller"
_QUARANTINE = 40.0  # seconds that a node may be missing before its pods are given up
_LOOK = 20.0  # seconds between two looks for pods that nobody will end
_FOR_EVER = float("inf")


def controller() -> Controller:
    """Woken by pods that are bound or deleted, and by nodes."""
    return Controller(COMPONENT, _reduce, {"pods": _bound, "nodes": _on})


def _bound(pod: Object, view: View) -> list[Key]:
    return [Key(namespace_of(pod), name_of(pod))] if spec_of(pod).get("nodeName") or deleting(pod) else []


def _on(node: Object, view: View) -> list[Key]:
    return [Key(namespace_of(pod), name_of(pod)) for pod in view.on_node(name_of(node))]


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    pod = view.get("pods", *key)
    if pod is None:
        return NOTHING
    if not spec_of(pod).get("nodeName"):
        return _end(pod, moment) if deleting(pod) else NOTHING
    node = view.get("nodes", "", spec_of(pod)["nodeName"])
    if node is None:
        return _give_up(pod, moment)
    taints = [taint for taint in (node.get("spec") or {}).get("taints") or () if taint.get("effect") == "NoExecute"]
    if deleting(pod) or not taints:
        return NOTHING
    due = min(map(partial(_bears_until, pod, moment.now), taints))
    if due > moment.now:
        return Step(wake=due) if due < _FOR_EVER else NOTHING
    told = Emit(pod, "TaintManagerEviction", f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}", COMPONENT)
    return Step((Delete("pods", key.namespace, key.name, uid_of(pod), told=told),))


def _end(pod: Object, moment: Moment) -> Step:
    """A deleted pod that no kubelet has, and that something holds, has failed; the memo is when it was first seen."""
    if phase(pod) in TERMINAL:
        return NOTHING
    since: float = moment.memo if moment.memo is not None else moment.now
    if moment.now < since + _LOOK:
        return Step(wake=since + _LOOK, memo=since)
    status = {**(pod.get("status") or {}), "phase": "Failed", "observedGeneration": generation_of(pod)}
    gone = Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), grace=0)
    return Step((Update("pods", with_status(pod, status), "status"), gone))


def _give_up(pod: Object, moment: Moment) -> Step:
    """Nobody runs the pod any more; the memo is when that was first seen."""
    since: float = moment.memo if moment.memo is not None else moment.now
    if moment.now < since + _QUARANTINE:
        return Step(wake=since + _QUARANTINE, memo=since)
    return Step((Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), grace=0),))


def _bears_until(pod: Object, now: float, taint: dict[str, Any]) -> float:
    """Until when the pod bears a taint: now if not at all."""
    bearing = [one for one in spec_of(pod).get("tolerations") or () if tolerates([one], taint)]
    if not bearing:
        return now
    seconds = [float(one["tolerationSeconds"]) for one in bearing if one.get("tolerationSeconds") is not None]
    if not seconds:
        return _FOR_EVER
    return (parse(taint.get("timeAdded", "")) or now) + max(0.0, min(seconds))
