"""Neighbours: what other pods have to do with where a pod may run: ports, affinity, anti-affinity and spreading."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, labels_of, name_of, namespace_of
from kilde.kubeapi.controllers.placing import wants_node
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.selecting import selects
from kilde.kubeapi.controllers.steps import View

HOSTNAME = "kubernetes.io/hostname"
_EVERYWHERE = ("", "0.0.0.0")  # noqa: S104


def taken_ports(pod: Object, others: Iterable[Object]) -> bool:
    """Whether pods of a node have a host port that the pod asks for."""
    wanted = list(_host_ports(pod))
    return bool(wanted) and any(
        (port, protocol) == (theirs, other_protocol)
        and (address == their_address or address in _EVERYWHERE or their_address in _EVERYWHERE)
        for other in others
        if phase(other) not in TERMINAL
        for theirs, other_protocol, their_address in _host_ports(other)
        for port, protocol, address in wanted
    )


def _host_ports(pod: Object) -> Iterator[tuple[int, str, str]]:
    for container in spec_of(pod).get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port["hostPort"], port.get("protocol", "TCP"), port.get("hostIP") or ""


def apart(pod: Object, others: Iterable[Object]) -> bool:
    """Whether required pod anti-affinity by hostname keeps the pod away from a node with these pods."""
    rules = [term for term in _terms(pod, "podAntiAffinity") if term.get("topologyKey") == HOSTNAME]
    return bool(rules) and any(_meant(rule, pod, other) for other in others for rule in rules)


def misses_company(pod: Object, node: Object, view: View) -> bool:
    """Whether required pod affinity wants pods in the node's domain that are not there; the first of its kind is let in."""
    for term in _terms(pod, "podAffinity"):
        domain = labels_of(node).get(term.get("topologyKey", ""))
        if domain is None:
            return True
        placed = [one for one in view.every("pods") if spec_of(one).get("nodeName") and _meant(term, pod, one)]
        near = any(_domain(one, term["topologyKey"], view) == domain for one in placed)
        if not near and (placed or not _meant(term, pod, pod)):
            return True
    return False


def spread_obstacle(pod: Object, node: Object, view: View) -> str:
    """Why a topologySpreadConstraint forbids the node, in the scheduler's words; empty if none does."""
    why = "node(s) didn't match pod topology spread constraints"
    for rule in spec_of(pod).get("topologySpreadConstraints") or ():
        if rule.get("whenUnsatisfiable") != "DoNotSchedule":
            continue
        key = rule["topologyKey"]
        domain = labels_of(node).get(key)
        if domain is None:
            return f"{why} (missing required label)"
        counts = Counter[str](
            {
                labels_of(one)[key]: 0
                for one in view.every("nodes")
                if key in labels_of(one) and wants_node(spec_of(pod), one)
            }
        )
        for other in view.every("pods", namespace_of(pod)):
            place = _domain(other, key, view)
            if (
                place is not None
                and place in counts
                and not deleting(other)
                and selects(rule.get("labelSelector"), labels_of(other))
            ):
                counts[place] += 1
        least = min(counts.values(), default=0) if len(counts) >= int(rule.get("minDomains") or 1) else 0
        itself = selects(rule.get("labelSelector"), labels_of(pod))
        if counts[domain] + itself - least > int(rule["maxSkew"]):
            return why
    return ""


def _terms(pod: Object, kind: str) -> list[dict[str, Any]]:
    found = (spec_of(pod).get("affinity") or {}).get(kind) or {}
    return list(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ())


def _meant(term: dict[str, Any], pod: Object, other: Object) -> bool:
    """Whether a term of the pod speaks of the other one."""
    spaces = term.get("namespaces") or [namespace_of(pod)]
    here = namespace_of(other) in spaces or term.get("namespaceSelector") == {}
    return here and selects(term.get("labelSelector"), labels_of(other))


def _domain(pod: Object, key: str, view: View) -> str | None:
    node = view.get("nodes", "", spec_of(pod).get("nodeName") or "")
    if node is None or phase(pod) in TERMINAL:
        return None
    return labels_of(node).get(key) or (name_of(node) if key == HOSTNAME else None)
