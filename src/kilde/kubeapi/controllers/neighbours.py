"""Neighbours: what other pods have to do with where a pod may run: ports, affinity, anti-affinity and spreading."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, labels_of, namespace_of
from kilde.kubeapi.controllers.placing import forbidding_taint, wants_node
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.selecting import selects
from kilde.kubeapi.controllers.steps import View

ANTI = "podAntiAffinity"
Domain: TypeAlias = tuple[str, str]
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


class Neighbourhood(NamedTuple):
    """What affinity says about the domains (a node's label and its value) of a pod: where pods are that do not bear it, that it does not
    bear, and that it wants."""

    pod: Object
    repelling: frozenset[Domain]
    avoided: frozenset[Domain]
    wanted: frozenset[Domain]


def neighbourhood(pod: Object, view: View) -> Neighbourhood:
    """Looks once at all pods; at those that are bound and repel others only, where the pod itself says nothing."""
    repelling = {
        domain
        for other in view.repelling()
        for term in _terms(other, ANTI)
        if _meant(term, other, pod, view) and (domain := _domain(other, term["topologyKey"], view))
    }
    near, far = _terms(pod, "podAffinity"), _terms(pod, ANTI)
    avoided, wanted = set[Domain](), set[Domain]()
    for other in view.every("pods") if near or far else ():
        if not spec_of(other).get("nodeName"):
            continue
        shunned = [term for term in far if _meant(term, pod, other, view)]
        liked = near if all(_meant(term, pod, other, view) for term in near) else []
        for terms, found in ((shunned, avoided), (liked, wanted)):
            found.update(one for term in terms if (one := _domain(other, term["topologyKey"], view)))
    return Neighbourhood(pod, frozenset(repelling), frozenset(avoided), frozenset(wanted))


def unfit_company(node: Object, found: Neighbourhood, view: View) -> tuple[str, bool]:
    """Why pod affinity forbids a node, in the scheduler's words, and whether other pods that go can change that."""
    here = {(key, value) for key, value in labels_of(node).items()}
    near = _terms(found.pod, "podAffinity")
    if near:
        asked = {(term["topologyKey"], labels_of(node).get(term["topologyKey"])) for term in near}
        first = not found.wanted and all(_meant(term, found.pod, found.pod, view) for term in near)
        if any(value is None for _, value in asked) or not (first or asked <= found.wanted):
            return "node(s) didn't match pod affinity rules", False
    if here & found.avoided:
        return "node(s) didn't match pod anti-affinity rules", True
    if here & found.repelling:
        return "node(s) didn't satisfy existing pods anti-affinity rules", True
    return "", False


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
            {labels_of(one)[key]: 0 for one in view.every("nodes") if key in labels_of(one) and _counts(rule, pod, one)}
        )
        for other in view.every("pods", namespace_of(pod)):
            place = _domain(other, key, view)
            if (
                place is not None
                and place[1] in counts
                and not deleting(other)
                and selects(rule.get("labelSelector"), labels_of(other))
            ):
                counts[place[1]] += 1
        least = min(counts.values(), default=0) if len(counts) >= int(rule.get("minDomains") or 1) else 0
        itself = selects(rule.get("labelSelector"), labels_of(pod))
        if counts[domain] + itself - least > int(rule["maxSkew"]):
            return why
    return ""


def _counts(rule: dict[str, Any], pod: Object, node: Object) -> bool:
    """Whether a node is among those that a constraint spreads over."""
    if rule.get("nodeTaintsPolicy") == "Honor":
        tolerations = spec_of(pod).get("tolerations") or ()
        if forbidding_taint(node, tolerations, ("NoSchedule", "NoExecute")) is not None:
            return False
    return rule.get("nodeAffinityPolicy") == "Ignore" or wants_node(spec_of(pod), node)


def repels(pod: Object) -> bool:
    """Whether the pod must not have some others near."""
    return bool(_terms(pod, ANTI))


def _terms(pod: Object, kind: str) -> list[dict[str, Any]]:
    found = (spec_of(pod).get("affinity") or {}).get(kind) or {}
    return list(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ())


def _meant(term: dict[str, Any], pod: Object, other: Object, view: View) -> bool:
    """Whether a term of the pod speaks of the other one."""
    spaces, selector = term.get("namespaces") or [], term.get("namespaceSelector")
    if not spaces and selector is None:
        spaces = [namespace_of(pod)]
    here = namespace_of(other) in spaces or selects(selector, _labels_of_namespace(other, view))
    return here and selects(term.get("labelSelector"), labels_of(other))


def _labels_of_namespace(pod: Object, view: View) -> dict[str, str]:
    found = view.get("namespaces", "", namespace_of(pod))
    return {} if found is None else labels_of(found)


def _domain(pod: Object, key: str, view: View) -> Domain | None:
    """The domain of the node that an unfinished pod is on."""
    node = view.get("nodes", "", spec_of(pod).get("nodeName") or "")
    value = None if node is None or phase(pod) in TERMINAL else labels_of(node).get(key)
    return None if value is None else (key, value)
