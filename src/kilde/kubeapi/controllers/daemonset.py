"""DaemonSets: one pod on every node that will have it, renewed node by node (upstream: controller/daemon)."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers import history
from kilde.kubeapi.controllers.claiming import claim
from kilde.kubeapi.controllers.metadata import (
    annotations_of,
    controller_of,
    deleting,
    dense,
    generation_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
    with_status,
)
from kilde.kubeapi.controllers.naming import scaled
from kilde.kubeapi.controllers.placing import forbidding_taint, wants_node
from kilde.kubeapi.controllers.pods import TERMINAL, available_at, from_template, is_available, is_ready, phase, spec_of
from kilde.kubeapi.controllers.replicaset import owner_keys
from kilde.kubeapi.controllers.selecting import is_empty
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Emit,
    Key,
    Moment,
    Refusals,
    Step,
    Update,
    View,
    Write,
    itself,
)

RESOURCE = "daemonsets.apps"
COMPONENT = "daemonset-controller"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


def controller() -> Controller:
    """The controller of `apps/v1` DaemonSets."""
    triggers = {
        RESOURCE: itself,
        "pods": owner_keys("DaemonSet", RESOURCE),
        history.RESOURCE: _historian,
        "nodes": lambda _, view: [Key(namespace_of(owner), name_of(owner)) for owner in view.every(RESOURCE)],
    }
    return Controller(COMPONENT, _reduce, triggers)


def _historian(revision: Object, view: View) -> list[Key]:
    owner = controller_of(revision)
    return [Key(namespace_of(revision), owner["name"])] if owner and owner.get("kind") == "DaemonSet" else []


@dataclass(frozen=True, slots=True)
class _Fleet:
    """A DaemonSet, its pods by node, and the nodes: `runs` should have a pod, `keeps` may go on with one."""

    owner: Object
    pods: dict[str, list[Object]]
    runs: tuple[str, ...]
    keeps: frozenset[str]
    past: history.History
    now: float

    @property
    def minimum(self) -> int:
        return int(self.owner["spec"].get("minReadySeconds") or 0)

    @property
    def every(self) -> list[Object]:
        return [pod for pods in self.pods.values() for pod in pods]

    def updated(self, pod: Object) -> bool:
        return labels_of(pod).get(history.POD_HASH) == history.hash_of(self.past.update)

    def available(self, pod: Object) -> bool:
        return is_available(pod, self.minimum, self.now) and not deleting(pod)

    def on(self, node: str) -> list[Object]:
        return sorted(self.pods.get(node, ()), key=lambda pod: pod["metadata"].get("creationTimestamp", ""))


def _node_of(pod: Object) -> str:
    """The node a pod is on, or is meant for."""
    node = spec_of(pod).get("nodeName")
    if node:
        return str(node)
    affinity = (spec_of(pod).get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for rule in term.get("matchFields") or ():
            if rule.get("key") == "metadata.name" and rule.get("values"):
                return str(rule["values"][0])
    return ""


def _look(owner: Object, view: View, now: float) -> _Fleet:
    by_node: dict[str, list[Object]] = {}
    for pod in view.owned("pods", uid_of(owner)):
        by_node.setdefault(_node_of(pod), []).append(pod)
    spec = owner["spec"]["template"].get("spec") or {}
    tolerations = [*(spec.get("tolerations") or ()), *_tolerations(spec)]
    runs, keeps = [], set()
    for node in sorted(view.every("nodes"), key=name_of):
        if not wants_node(spec, node):
            continue
        if forbidding_taint(node, tolerations, ("NoExecute",)) is None:
            keeps.add(name_of(node))
        if forbidding_taint(node, tolerations, ("NoSchedule", "NoExecute")) is None:
            runs.append(name_of(node))
    collisions = int((owner.get("status") or {}).get("collisionCount") or 0)
    past = history.history_of(owner, view.owned(history.RESOURCE, uid_of(owner)), collisions)
    return _Fleet(owner, by_node, tuple(runs), frozenset(keeps), past, now)


def _tolerations(spec: dict[str, Any]) -> list[dict[str, str]]:
    """What every pod of a DaemonSet bears (upstream: AddOrUpdateDaemonPodTolerations)."""
    borne = [{"effect": effect, "key": key, "operator": "Exists"} for key, effect in _TOLERATED]
    if spec.get("hostNetwork"):
        borne.append({"effect": "NoSchedule", "key": "node.kubernetes.io/network-unavailable", "operator": "Exists"})
    return borne


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    owner = view.get(RESOURCE, *key)
    if owner is None:
        return NOTHING
    if is_empty(owner["spec"].get("selector")):
        text = "This daemon set is selecting all pods. A non-empty selector is required."
        return Step((Emit(owner, "SelectingAll", text, COMPONENT, "Warning"),))
    adopted = claim(owner, owner["spec"].get("selector"), "pods", view).writes
    fleet = _look(owner, view, moment.now)
    writes: list[Write] = [*adopted, *fleet.past.writes]
    if not deleting(owner):
        writes += _place(fleet) or _renew(fleet)
    return Step(tuple(writes), then=partial(_settle, key))


def _place(fleet: _Fleet) -> list[Write]:
    """A pod for each node without one; no pod where it may not be, or where it has failed."""
    births: list[Write] = []
    deaths: list[Write] = []
    for node in fleet.runs:
        pods = fleet.on(node)
        for pod in pods:
            if phase(pod) in TERMINAL and not deleting(pod):
                deaths += [_ended(fleet, pod, node), _delete(fleet, pod)]
        if not pods:
            births.append(_create(fleet, node))
    for node, pods in fleet.pods.items():
        if node not in fleet.keeps:
            deaths += [_delete(fleet, pod) for pod in pods if not deleting(pod)]
    return [*births, *deaths]


def _ended(fleet: _Fleet, pod: Object, node: str) -> Emit:
    """What is said of a pod that has ended, which one of a DaemonSet should not."""
    found = f"daemon pod {namespace_of(pod)}/{name_of(pod)} on node {node}, will try to"
    if phase(pod) == "Failed":
        return Emit(fleet.owner, "FailedDaemonPod", f"Found failed {found} kill it", COMPONENT, "Warning")
    return Emit(fleet.owner, "SucceededDaemonPod", f"Found succeeded {found} delete it", COMPONENT)


def _create(fleet: _Fleet, node: str) -> Create:
    owner = fleet.owner
    generation = annotations_of(owner).get(TEMPLATE_GENERATION, "1")
    labels = {history.POD_HASH: history.hash_of(fleet.past.update), "pod-template-generation": generation}
    pod = from_template(owner["spec"]["template"], owner, namespace=namespace_of(owner), labels=labels)
    spec = pod["spec"]
    affinity = spec.get("affinity") or {}
    here = {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]}
    on_node = {**(affinity.get("nodeAffinity") or {}), "requiredDuringSchedulingIgnoredDuringExecution": here}
    spec["affinity"] = {**affinity, "nodeAffinity": on_node}
    spec["tolerations"] = [*(spec.get("tolerations") or ()), *_tolerations(spec)]
    return Create("pods", pod, Emit(owner, "SuccessfulCreate", "Created pod: {name}", COMPONENT))


def _delete(fleet: _Fleet, pod: Object) -> Delete:
    told = Emit(fleet.owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", COMPONENT)
    return Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), told=told)


def _renew(fleet: _Fleet) -> list[Write]:
    """Deletes old pods as far as unavailability allows, or makes new ones beside them as far as surge allows."""
    strategy = fleet.owner["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    rules = strategy.get("rollingUpdate") or {}
    surge = scaled(rules.get("maxSurge", 0), len(fleet.runs), round_up=True)
    allowed = scaled(rules.get("maxUnavailable", 1), len(fleet.runs), round_up=True)
    return _surge(fleet, surge) if surge else _replace(fleet, max(1, allowed))


def _replace(fleet: _Fleet, allowed: int) -> list[Write]:
    missing = sum(not any(fleet.available(pod) for pod in fleet.on(node)) for node in fleet.runs)
    writes: list[Write] = []
    for node in fleet.runs:
        for pod in fleet.on(node):
            if fleet.updated(pod) or deleting(pod):
                continue
            if not fleet.available(pod):
                writes.append(_delete(fleet, pod))
            elif missing < allowed:
                missing += 1
                writes.append(_delete(fleet, pod))
    return writes


def _surge(fleet: _Fleet, surge: int) -> list[Write]:
    writes: list[Write] = []
    extra = sum(len([pod for pod in fleet.on(node) if not deleting(pod)]) > 1 for node in fleet.runs)
    for node in fleet.runs:
        pods = [pod for pod in fleet.on(node) if not deleting(pod)]
        old = [pod for pod in pods if not fleet.updated(pod)]
        new = [pod for pod in pods if fleet.updated(pod)]
        if old and any(fleet.available(pod) for pod in new):
            writes += [_delete(fleet, pod) for pod in old]
        elif old and not new and (extra < surge or not any(fleet.available(pod) for pod in old)):
            extra += 1
            writes.append(_create(fleet, node))
    return writes


def _settle(key: Key, view: View, moment: Moment, refusals: Refusals) -> Step:
    owner = view.get(RESOURCE, *key)
    if owner is None:
        return NOTHING
    fleet = _look(owner, view, moment.now)
    writes: list[Write] = [
        Emit(owner, "FailedCreate", f"Error creating: {refusal.message}", COMPONENT, "Warning")
        for refusal in refusals
        if isinstance(refusal.write, Create)
    ]
    status = _status(fleet)
    if status != (owner.get("status") or {}):
        writes.append(Update(RESOURCE, with_status(owner, status), "status"))
    live = {labels_of(pod).get(history.POD_HASH) for pod in fleet.every}
    used = {name_of(one) for one in fleet.past.all if history.hash_of(one) in live} | {name_of(fleet.past.update)}
    limit = owner["spec"].get("revisionHistoryLimit")
    writes += history.spare(fleet.past.all, used, 10 if limit is None else int(limit))
    return Step(tuple(writes), wake=available_at(fleet.every, fleet.minimum, moment.now))


def _status(fleet: _Fleet) -> dict[str, Any]:
    alive = {node: [pod for pod in fleet.on(node) if phase(pod) not in TERMINAL] for node in fleet.pods}
    ready = [node for node in fleet.runs if any(is_ready(pod) for pod in alive.get(node, ()))]
    available = [node for node in fleet.runs if any(fleet.available(pod) for pod in alive.get(node, ()))]
    updated = [node for node in fleet.runs if any(fleet.updated(p) and not deleting(p) for p in alive.get(node, ()))]
    status = {
        "currentNumberScheduled": sum(bool(alive.get(node)) for node in fleet.runs),
        "numberMisscheduled": sum(bool(pods) for node, pods in alive.items() if node not in fleet.runs),
        "desiredNumberScheduled": len(fleet.runs),
        "numberReady": len(ready),
        "observedGeneration": generation_of(fleet.owner),
        "updatedNumberScheduled": len(updated),
        "numberAvailable": len(available),
        "numberUnavailable": len(fleet.runs) - len(available),
        "collisionCount": (fleet.owner.get("status") or {}).get("collisionCount"),
        "conditions": (fleet.owner.get("status") or {}).get("conditions"),
    }
    return dense(status, "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
