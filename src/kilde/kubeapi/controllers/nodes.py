"""Nodes: pretend machines with leases, and the taints that follow from their state (upstream: node lifecycle)."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find, put
from kilde.kubeapi.controllers.metadata import name_of, uid_of
from kilde.kubeapi.controllers.node_health import UP, conditions, health, state_of
from kilde.kubeapi.controllers.node_marks import Marks
from kilde.kubeapi.controllers.placing import UNSCHEDULABLE
from kilde.kubeapi.controllers.rules import RULES
from kilde.kubeapi.controllers.steps import (
    KUBELET,
    NOTHING,
    Controller,
    Create,
    Emit,
    Key,
    Moment,
    Patch,
    Refusals,
    Step,
    Trigger,
    Update,
    View,
    Write,
    itself,
)

VERSION = "v1.36.3"  # of the kubelets, unless another is served
LEASES = "leases.coordination.k8s.io"
LEASE_SPACE = "kube-node-lease"
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
_CAPACITY = {"cpu": "8", "memory": "16Gi", "pods": "110"}
_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node_names(count: int) -> tuple[str, ...]:
    """`node-0`, `node-1`, …"""
    return tuple(f"node-{number}" for number in range(count))


def address(name: str) -> str:
    """The pretend node's own address: 10.1.0.<number + 10>; nodes made by somebody else have the first."""
    number = int(name.rpartition("-")[2]) if name.rpartition("-")[2].isdigit() else 0
    return f"10.1.{number // 200}.{number % 200 + 10}"


def registration(count: int, marks: Mapping[str, Marks], version: str = VERSION) -> Controller:
    """The pretend kubelets' registration: makes the nodes when their namespace for leases is there; heartbeats cost nothing.

    `marks` are by name; like a kubelet's, they count when the node is made and never again. `version` is the kubelets'.
    """
    names = frozenset(node_names(count))

    def ours(obj: Object, view: View) -> list[Key]:
        return [Key("", name_of(obj))] if name_of(obj) in names else []

    def begun(obj: Object, view: View) -> list[Key]:
        return [Key("", name) for name in sorted(names)] if name_of(obj) == LEASE_SPACE else []

    def all_of_them(_: Object, view: View) -> list[Key]:
        return [Key("", name) for name in sorted(names)]

    triggers: dict[str, Trigger] = {"nodes": ours, "namespaces": begun, RULES: all_of_them}
    return Controller("kubelet-node", partial(_register, marks, version), triggers, manager=KUBELET)


def _register(marks: Mapping[str, Marks], version: str, key: Key, view: View, moment: Moment) -> Step:
    node = view.get("nodes", "", key.name)
    if node is None:
        return Step(
            (Create("nodes", _body(key.name, marks.get(key.name, Marks()))),), then=partial(_report, version, key)
        )
    return _report(version, key, view, moment, ())


def _body(name: str, marks: Marks) -> Object:
    labels = {"arch": "amd64", "os": "linux"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                **{
                    f"{prefix}/{key}": value
                    for key, value in labels.items()
                    for prefix in ("kubernetes.io", "beta.kubernetes.io")
                },
                "kubernetes.io/hostname": name,
                **marks.labels,
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {"taints": list(marks.taints)} if marks.taints else {},
    }


def _report(version: str, key: Key, view: View, moment: Moment, refusals: Refusals) -> Step:
    """Writes the status once: the pretend node is healthy until somebody, or a script, says otherwise."""
    node = view.get("nodes", "", key.name)
    if node is None:
        return NOTHING
    writes: list[Write] = []
    found = health(node, view, moment.memo, moment.now)
    before = moment.memo.state if moment.memo is not None else state_of(node)
    if find((node.get("status") or {}).get("conditions"), "Ready") is None:
        status = _status(node, version, moment.now)
        writes.append(Update("nodes", {**node, "status": status}, "status"))
    elif found.state != before:
        turned = conditions(node, found, _status(node, version, moment.now)["conditions"], moment.now)
        writes.append(Update("nodes", {**node, "status": {**node["status"], "conditions": turned}}, "status"))
        if found.state == UP:
            text = f"Node {key.name} status is now: NodeReady"
            writes.append(Emit(node, "NodeReady", text, KUBELET, host=key.name))
    if view.get(LEASES, LEASE_SPACE, key.name) is None and view.get("namespaces", "", LEASE_SPACE) is not None:
        writes.append(Create(LEASES, _lease(node, moment.now)))
    return Step(tuple(writes), wake=found.wake, memo=found)


def _status(node: Object, version: str, now: float) -> dict[str, Any]:
    time = rfc3339(now)
    return {
        "capacity": _CAPACITY,
        "allocatable": _CAPACITY,
        "phase": "Running",
        "conditions": [
            {
                "type": kind,
                "status": status,
                "lastHeartbeatTime": time,
                "lastTransitionTime": time,
                "reason": reason,
                "message": message,
            }
            for kind, status, reason, message in _HEALTHY
        ],
        "addresses": [
            {"type": "InternalIP", "address": address(name_of(node))},
            {"type": "Hostname", "address": name_of(node)},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "kilde://1",
            "kernelVersion": "kilde",
            "kubeProxyVersion": "",
            "kubeletVersion": version,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "Kilde (simulated)",
            "systemUUID": "",
        },
    }


def _lease(node: Object, now: float) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name_of(node),
            "namespace": LEASE_SPACE,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name_of(node), "uid": uid_of(node)}],
        },
        "spec": {
            "holderIdentity": name_of(node),
            "leaseDurationSeconds": 40,
            "renewTime": rfc3339(now).replace("Z", ".000000Z"),
        },
    }


def lifecycle() -> Controller:
    """The node lifecycle controller: taints a node that is cordoned or not ready, and takes the taint away again."""
    return Controller("node-controller", _taint, {"nodes": itself})


def _taint(key: Key, view: View, moment: Moment) -> Step:
    node = view.get("nodes", "", key.name)
    if node is None:
        return NOTHING
    text = f"Node {key.name} event: Registered Node {key.name} in Controller"
    said = (Emit(node, "RegisteredNode", text, "node-controller"),) if moment.memo is None else ()
    ready = (find((node.get("status") or {}).get("conditions"), "Ready") or {}).get("status", "")
    if moment.memo == "True" and ready in ("False", "Unknown"):
        lost = f"Node {key.name} status is now: NodeNotReady"
        said = (Emit(node, "NodeNotReady", lost, "node-controller"),)
    return Step((*said, *_taints_due(node, moment.now), *_unready(node, view, moment.now)), memo=ready)


def _unready(node: Object, view: View, now: float) -> Iterator[Write]:
    """The pods of a node that is not ready are not ready either, whatever they said last."""
    ready = find((node.get("status") or {}).get("conditions"), "Ready")
    if ready is None or ready["status"] == "True":
        return
    for pod in view.on_node(name_of(node)):
        status = pod.get("status") or {}
        held = find(status.get("conditions"), "Ready")
        if held is not None and held["status"] == "True":
            lost = {**held, "status": "False", "reason": "NodeNotReady", "lastTransitionTime": rfc3339(now)}
            changed = {**status, "conditions": put(status["conditions"], lost)}
            yield Update("pods", {**pod, "status": changed}, "status")
            yield Emit(pod, "NodeNotReady", "Node is not ready", "node-controller", "Warning")


def _taints_due(node: Object, now: float) -> tuple[Write, ...]:
    spec = node.get("spec") or {}
    have = list(spec.get("taints") or ())
    ready = find((node.get("status") or {}).get("conditions"), "Ready")
    wanted = {(UNSCHEDULABLE, "NoSchedule"): bool(spec.get("unschedulable"))}
    for effect in ("NoSchedule", "NoExecute") if ready is not None else ():
        wanted[NOT_READY, effect] = ready is not None and ready["status"] == "False"
        wanted[UNREACHABLE, effect] = ready is not None and ready["status"] == "Unknown"
    taints = [taint for taint in have if wanted.get((taint["key"], taint["effect"]), True)]
    for (key, effect), due in wanted.items():
        if due and not any((one["key"], one["effect"]) == (key, effect) for one in taints):
            taints.append({"effect": effect, "key": key, "timeAdded": rfc3339(now)})
    if taints == have:
        return ()
    version = node["metadata"].get("resourceVersion")
    change = {"metadata": {"resourceVersion": version}, "spec": {"taints": taints or None}}
    return (Patch("nodes", "", name_of(node), change),)
