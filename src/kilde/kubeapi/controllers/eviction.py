"""Eviction: pods leave nodes whose taints they do not bear (upstream: tainteviction), or that are no more (podgc)."""

from functools import partial
from typing import Any

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, uid_of
from kilde.kubeapi.controllers.placing import tolerates
from kilde.kubeapi.controllers.pods import spec_of
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Delete, Emit, Key, Moment, Step, View

COMPONENT = "taint-eviction-controller"
_QUARANTINE = 40.0  # seconds that a node may be missing before its pods are given up
_FOR_EVER = float("inf")


def controller() -> Controller:
    """Woken by bound pods and by nodes."""
    return Controller(COMPONENT, _reduce, {"pods": _bound, "nodes": _on})


def _bound(pod: Object, view: View) -> list[Key]:
    return [Key(namespace_of(pod), name_of(pod))] if spec_of(pod).get("nodeName") else []


def _on(node: Object, view: View) -> list[Key]:
    return [Key(namespace_of(pod), name_of(pod)) for pod in view.on_node(name_of(node))]


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    pod = view.get("pods", *key)
    if pod is None or not spec_of(pod).get("nodeName"):
        return NOTHING
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
