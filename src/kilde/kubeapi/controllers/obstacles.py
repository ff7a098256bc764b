"""Obstacles: why a pod may not run on a node, by the scheduler's filters in their order, and what else it would be like."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import name_of, uid_of
from kilde.kubeapi.controllers.neighbours import (
    Neighbourhood,
    neighbourhood,
    spread_obstacle,
    taken_ports,
    unfit_company,
)
from kilde.kubeapi.controllers.placing import (
    UNSCHEDULABLE,
    exceeds,
    forbidding_taint,
    requests_of,
    shortages,
    tolerates,
    wants_node,
)
from kilde.kubeapi.controllers.pods import TERMINAL, phase, priority, spec_of
from kilde.kubeapi.controllers.steps import Load, View


class Obstacles(NamedTuple):
    """What the first filter says that says no; `movable`: other pods are in the way."""

    reasons: tuple[str, ...] = ()
    movable: bool = False


def obstacles(pod: Object, node: Object, view: View, around: Neighbourhood | None = None) -> Obstacles:
    """Why a pod may not run on a node, with the pods of as much priority that are to come to it, and without them.

    `around` is the pod's neighbourhood, where it is known already.
    """
    coming = [
        {**one, "spec": {**spec_of(one), "nodeName": name_of(node)}}
        for one in view.nominated(name_of(node))
        if uid_of(one) != uid_of(pod) and priority(one) >= priority(pod)
    ]
    found = _found(pod, node, Imagined(view, coming=coming), None) if coming else Obstacles()
    return found if found.reasons else _found(pod, node, view, around)


def _found(pod: Object, node: Object, view: View, around: Neighbourhood | None) -> Obstacles:
    why = _of_node(spec_of(pod), node)
    if why:
        return Obstacles((why,))
    if taken_ports(pod, view.on_node(name_of(node))):
        return Obstacles(("node(s) didn't have free ports for the requested pod ports",), movable=True)
    if lacks := shortages(pod, node, view.load(name_of(node))):
        return Obstacles(tuple(lacks), movable=not exceeds(pod, node))
    if crowded := spread_obstacle(pod, node, view):
        return Obstacles((crowded,), movable="missing" not in crowded)
    why, movable = unfit_company(node, around or neighbourhood(pod, view), view)
    return Obstacles((why,), movable=movable) if why else Obstacles()


def _of_node(spec: Mapping[str, Any], node: Object) -> str:
    """What of the node itself forbids the pod; empty if nothing does."""
    tolerations = spec.get("tolerations") or []
    cordon = {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
    if (node.get("spec") or {}).get("unschedulable") and not tolerates(tolerations, cordon):
        return "node(s) were unschedulable"
    if forbidding_taint(node, tolerations, ("NoSchedule", "NoExecute")) is not None:
        return "node(s) had untolerated taint(s)"
    return "" if wants_node(spec, node) else "node(s) didn't match Pod's node affinity/selector"


class Imagined:
    """A view in which some pods are gone, and others are on their nodes."""

    def __init__(self, view: View, *, gone: Iterable[Object] = (), coming: Iterable[Object] = ()) -> None:
        self._view, self._coming = view, list(coming)
        self._gone = {uid_of(one) for one in (*gone, *self._coming)}

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return self._view.get(resource, namespace, name)

    def every(self, resource: str, namespace: str | None = None) -> Iterable[Object]:
        found = self._view.every(resource, namespace)
        if resource != "pods":
            return found
        return self._changed(found, lambda one: namespace in (None, one["metadata"].get("namespace")))

    def owned(self, resource: str, uid: str) -> Iterable[Object]:
        return self._view.owned(resource, uid)

    def orphans(self, resource: str, namespace: str) -> Iterable[Object]:
        return self._view.orphans(resource, namespace)

    def on_node(self, node: str) -> Iterable[Object]:
        return self._changed(self._view.on_node(node), lambda one: spec_of(one).get("nodeName") == node)

    def nominated(self, node: str) -> Iterable[Object]:
        return [one for one in self._view.nominated(node) if uid_of(one) not in self._gone]

    def repelling(self) -> Iterable[Object]:
        return self._changed(self._view.repelling(), lambda one: bool(spec_of(one).get("affinity")))

    def load(self, node: str) -> Load:
        there = [one for one in self.on_node(node) if phase(one) not in TERMINAL]
        asked: dict[str, Fraction] = {}
        for one in there:
            for resource, quantity in requests_of(one).items():
                asked[resource] = asked.get(resource, Fraction(0)) + quantity
        return Load(len(there), asked)

    def _changed(self, pods: Iterable[Object], fits: Any) -> list[Object]:
        return [*(one for one in pods if uid_of(one) not in self._gone), *filter(fits, self._coming)]
