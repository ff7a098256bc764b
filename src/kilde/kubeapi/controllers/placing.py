"""Placing: which nodes a pod may run on, by selector, affinity, taints and room, and how the scheduler says why not."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.quantity import parse
from kilde.kubeapi.controllers.metadata import labels_of, name_of
from kilde.kubeapi.controllers.pods import spec_of
from kilde.kubeapi.controllers.selecting import requires
from kilde.kubeapi.controllers.steps import Load

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


def amount(text: Any) -> Fraction:
    """A quantity as a number; 0 where it is none."""
    return _amount(str(text))


@lru_cache(maxsize=1024)
def _amount(text: str) -> Fraction:
    try:
        return parse(text).value
    except InvalidInput:
        return Fraction(0)


def requests_of(pod: Object) -> dict[str, Fraction]:
    """What a pod asks for: the sum of its containers, or the largest init container if that is more."""
    spec = spec_of(pod)
    asked: dict[str, Fraction] = {}
    for container in spec.get("containers") or ():
        for resource, quantity in _requests(container).items():
            asked[resource] = asked.get(resource, Fraction(0)) + amount(quantity)
    for container in spec.get("initContainers") or ():
        for resource, quantity in _requests(container).items():
            asked[resource] = max(asked.get(resource, Fraction(0)), amount(quantity))
    for resource, quantity in (spec.get("overhead") or {}).items():
        asked[resource] = asked.get(resource, Fraction(0)) + amount(quantity)
    return asked


def _requests(container: Mapping[str, Any]) -> dict[str, Any]:
    resources = container.get("resources") or {}
    return {**(resources.get("limits") or {}), **(resources.get("requests") or {})}


def tolerates(tolerations: Iterable[Mapping[str, Any]], taint: Mapping[str, Any]) -> bool:
    """Whether one of the tolerations bears the taint."""
    return any(_bears(toleration, taint) for toleration in tolerations)


def _bears(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")


def forbidding_taint(node: Object, tolerations: Iterable[Mapping[str, Any]], effects: tuple[str, ...]) -> Object | None:
    """The first taint of these effects that the tolerations do not bear."""
    borne = list(tolerations)
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint.get("effect") in effects and not tolerates(borne, taint):
            return dict(taint)
    return None


def wants_node(spec: Mapping[str, Any], node: Object) -> bool:
    """Whether nodeSelector and required node affinity accept the node."""
    labels = labels_of(node)
    if not all(labels.get(key) == value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if affinity is None:
        return True
    fields = {"metadata.name": name_of(node)}
    return any(
        all(requires(rule, labels) for rule in term.get("matchExpressions") or ())
        and all(requires(rule, fields) for rule in term.get("matchFields") or ())
        for term in affinity.get("nodeSelectorTerms") or ()
    )


def shortages(pod: Object, node: Object, load: Load) -> list[str]:
    """What the node lacks for one more pod, as the scheduler says it; empty if it has room."""
    room = (node.get("status") or {}).get("allocatable") or {}
    lacks = ["Too many pods"] if load.pods + 1 > amount(room.get("pods", "110")) else []
    return lacks + [
        f"Insufficient {resource}"
        for resource, quantity in sorted(requests_of(pod).items())
        if quantity > 0
        and (resource in room or resource != "ephemeral-storage")  # a node that does not say has enough
        and amount(room.get(resource, "0")) - load.asked.get(resource, Fraction(0)) < quantity
    ]


def exceeds(pod: Object, node: Object) -> bool:
    """Whether the pod asks for more than the node has when it is empty."""
    room = (node.get("status") or {}).get("allocatable") or {}
    return any(
        quantity > amount(room.get(resource, "0"))
        for resource, quantity in requests_of(pod).items()
        if quantity > 0 and (resource in room or resource != "ephemeral-storage")
    )
