"""Where the real scheduler puts pods, ours puts them, too, and what it says of those that it cannot place, and makes room for."""

import json
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
from build_real import where

from differential.normal import differences, normal
from differential.sides import Ask, Pair, Side, ours_beside
from real.control_plane import control_plane

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

PATIENCE = 30.0
ZONE = "zone"
_HOST = re.compile(r"default-scheduler-[\w.-]+")


@pytest.fixture(scope="module")
def scheduled(real_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The real control plane with its scheduler and no controllers, and ours with no nodes of its own."""
    if not where("kube-scheduler").exists():
        pytest.skip("not built: python tools/build_real.py kube-scheduler (some minutes)")
    folder, words = tmp_path_factory.mktemp("scheduled"), ("--controllers", "simulate", "--nodes", "0")
    with (
        control_plane(folder / "real", controllers=False, scheduler=True) as plane,
        ours_beside(plane, folder / "ours", *words) as both,
    ):
        yield both


def node(name: str, cpu: str = "2", **labels: str) -> dict[str, Any]:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "110"}}
    status["capacity"] = status["allocatable"]
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok"}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "status": {**status, "conditions": [ready]},
    }


def pod(name: str, cpu: str = "", *, app: str = "a", **spec: Any) -> dict[str, Any]:
    """A pod that ends at once when it is deleted."""
    container: dict[str, Any] = {"name": "c", "image": "a:1"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    meta: dict[str, Any] = {"name": name, "labels": {"app": app}}
    if "finalizers" in spec:
        meta["finalizers"] = spec.pop("finalizers")
    body = {"terminationGracePeriodSeconds": 0, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body}


def near(app: str = "a", key: str = "kubernetes.io/hostname", *, kind: str = "podAntiAffinity", **more: Any) -> Any:
    """Required (anti-)affinity to pods of an app."""
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


HIGH, LOW = {"priorityClassName": "high"}, {"priorityClassName": "low"}
TWO = [node("n1"), node("n2")]
ZONES = [node("n1", zone="x"), node("n2", zone="x"), node("n3", zone="y")]
SPREAD = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
# name -> nodes, and what is made one after the other: a pod, or (how it is done, what, with).
SCENARIOS: dict[str, tuple[list[dict[str, Any]], list[Any]]] = {
    "a victim makes room": ([node("n1")], [pod("v", "2", **LOW), pod("p", "2", **HIGH)]),
    "the least important goes": (
        [node("n1", "3")],
        [pod("a", "1", **HIGH), pod("b", "1"), pod("c", "1", **LOW), pod("p", "1", **HIGH)],
    ),
    "no more go than must": (
        [node("n1", "4")],
        [pod("a", "1", **LOW), pod("b", "2", **LOW), pod("c", "1", **LOW), pod("p", "2", **HIGH)],
    ),
    "the node where less is lost": (
        TWO,
        [
            pod("a", "2", nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("b", "2", nodeSelector={"kubernetes.io/hostname": "n2"}, **LOW),
            pod("p", "1", **HIGH),
        ],
    ),
    "equals do not give way": ([node("n1")], [pod("v", "2", **HIGH), pod("p", "2", **HIGH), pod("q", "1")]),
    "who never preempts": ([node("n1")], [pod("v", "2", **LOW), pod("p", "2", priorityClassName="patient")]),
    "more than a node has": (
        [node("n1"), node("n2", "4")],
        [pod("v", "3", **LOW), pod("w", "1", **LOW), pod("x", "2", **LOW), pod("p", "3", **HIGH), pod("q", "9", **HIGH)],
    ),
    "a budget keeps its pod": (
        [node("n1")],
        [
            pod("a", "1", app="kept", **LOW),
            pod("b", "1", app="free", **LOW),
            ("budget", "kept", 0),
            pod("p", "1", **HIGH),
        ],
    ),
    "ports in the way": (
        [node("n1")],
        [
            pod("v", containers=[{"name": "c", "image": "a:1", "ports": [{"containerPort": 80, "hostPort": 80}]}], **LOW),
            pod("p", containers=[{"name": "c", "image": "a:1", "ports": [{"containerPort": 80, "hostPort": 80}]}], **HIGH),
            pod("q", containers=[{"name": "c", "image": "a:1", "ports": [{"containerPort": 80, "hostPort": 80}]}], **HIGH),
        ],
    ),
    "apart by name": (
        TWO,
        [pod("p0", affinity=near(), nodeSelector={"kubernetes.io/hostname": "n1"}), pod("p1", affinity=near()), pod("p2", affinity=near())],
    ),
    "apart by zone": (
        ZONES,
        [
            pod("p0", affinity=near(key=ZONE), nodeSelector={ZONE: "y"}),
            pod("p1", affinity=near(key=ZONE), nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("p2", affinity=near(key=ZONE)),
        ],
    ),
    "others do not bear it": (
        TWO,
        [
            pod("a", app="hermit", affinity=near("crowd"), nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("b", app="crowd"),
            pod("c", app="crowd", nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("d", app="other", nodeSelector={"kubernetes.io/hostname": "n1"}),
        ],
    ),
    "others do not bear it in a zone": (
        ZONES,
        [
            pod("a", app="hermit", affinity=near("crowd", ZONE), nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("b", app="crowd", nodeSelector={"kubernetes.io/hostname": "n2"}),
            pod("c", app="crowd"),
        ],
    ),
    "a hermit gives way": (
        [node("n1")],
        [pod("a", app="hermit", affinity=near("crowd"), **LOW), pod("b", app="crowd", **HIGH)],
    ),
    "a crowd gives way": (
        [node("n1")],
        [pod("a", app="crowd", **LOW), pod("b", app="free", **LOW), pod("c", app="hermit", affinity=near("crowd"), **HIGH)],
    ),
    "anywhere but here": (
        TWO,
        [
            pod("a", app="hermit", affinity=near("crowd", namespaces=["elsewhere"]), nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("b", app="crowd", nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("c", app="hermit", affinity=near("crowd", namespaceSelector={}), nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("d", app="hermit", affinity=near("crowd", namespaceSelector={}), nodeSelector={"kubernetes.io/hostname": "n2"}),
            pod("e", app="crowd"),
        ],
    ),
    "near by zone": (
        ZONES,
        [
            pod("a", app="web", nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod("b", affinity=near("web", ZONE, kind="podAffinity"), nodeSelector={"kubernetes.io/hostname": "n2"}),
            pod("c", affinity=near("web", ZONE, kind="podAffinity"), nodeSelector={"kubernetes.io/hostname": "n3"}),
            pod("d", affinity=near("none", ZONE, kind="podAffinity")),
            pod("e", app="own", affinity=near("own", ZONE, kind="podAffinity"), nodeSelector={"kubernetes.io/hostname": "n3"}),
            pod("f", affinity=near("web", "rack", kind="podAffinity")),
        ],
    ),
    "spread over zones": (
        ZONES,
        [
            pod("a", nodeSelector={"kubernetes.io/hostname": "n1"}),
            pod(
                "b",
                nodeSelector={ZONE: "x"},
                topologySpreadConstraints=[{**SPREAD, "nodeAffinityPolicy": "Ignore", "labelSelector": {"matchLabels": {"app": "a"}}}],
            ),
            pod("c", topologySpreadConstraints=[{**SPREAD, "labelSelector": {"matchLabels": {"app": "a"}}}]),
            pod("d", topologySpreadConstraints=[{**SPREAD, "topologyKey": "rack", "labelSelector": {"matchLabels": {"app": "a"}}}]),
            pod("e", topologySpreadConstraints=[{**SPREAD, "minDomains": 3, "labelSelector": {"matchLabels": {"app": "a"}}}]),
        ],
    ),
    "spread over zones makes room": (
        [node("n1", zone="x"), node("n2", "0", zone="y")],
        [
            pod("a", nodeSelector={ZONE: "x"}, **LOW),
            pod("b", "1", topologySpreadConstraints=[{**SPREAD, "labelSelector": {"matchLabels": {"app": "a"}}}], **HIGH),
        ],
    ),
    "taints, cordons and selectors": (
        [
            node("n1"),
            {**node("n2"), "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}},
            {**node("n3"), "spec": {"unschedulable": True}},
        ],
        [pod("a", "9"), pod("b", nodeSelector={"disk": "ssd"}), pod("d", "3", **HIGH)],
    ),
    "no nodes": ([], [pod("a")]),
    "a gate, and one that is opened": (
        [node("n1")],
        [pod("a", schedulingGates=[{"name": "g"}]), ("change", "a", {"spec": {"schedulingGates": None}})],
    ),
    "room that comes": ([node("n1")], [pod("a", "2"), pod("b", "2"), ("delete", "a", None)]),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _classes(scheduled: Pair) -> None:
    for name, value, policy in (("high", 1000, None), ("low", -5, None), ("patient", 2000, "Never")):
        body = {"metadata": {"name": name}, "value": value, **({"preemptionPolicy": policy} if policy else {})}
        scheduled.set_up(Ask("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", body))


@pytest.mark.parametrize("name", SCENARIOS)
def test_pods_go_where_the_real_scheduler_puts_them(scheduled: Pair, name: str) -> None:
    nodes, steps = SCENARIOS[name]
    namespace = f"s{secrets.token_hex(3)}"
    scheduled.set_up(Ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}))
    for side in (scheduled.real, scheduled.ours):
        _account(side, namespace)
        for one in nodes:
            _join(side, one)
            _found(side, one["metadata"]["name"])
    for step in steps:
        for side in (scheduled.real, scheduled.ours):
            _take(side, namespace, step)
    until, found = time.monotonic() + PATIENCE, ["never compared"]
    while found and time.monotonic() < until:
        time.sleep(0.25)
        found = differences(*(_state(side, namespace) for side in (scheduled.real, scheduled.ours)))
    for side in (scheduled.real, scheduled.ours):
        _clear(side, namespace)

    assert not found, "\n".join(found)


def _account(side: Side, namespace: str) -> None:
    """The account that pods need: the real side has no controllers that make it."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert side.ask(Ask("POST", path, {"metadata": {"name": "default"}}))["code"] in (201, 409)


def _join(side: Side, one: dict[str, Any]) -> None:
    """A node that is ready, without the taint of one that is new."""
    name = one["metadata"]["name"]
    made = side.ask(Ask("POST", "/api/v1/nodes", one))
    assert made["code"] == 201, made
    merge = "application/merge-patch+json"
    for part, change in (
        ("/status", {"status": one["status"]}),
        ("", {"spec": {"taints": one.get("spec", {}).get("taints")}}),
    ):
        answer = side.ask(Ask("PATCH", f"/api/v1/nodes/{name}{part}", change, merge))
        assert answer["code"] == 200, answer


def _found(side: Side, name: str) -> None:
    """Waits until the scheduler knows a node: a pod that bears everything is put there, and goes again."""
    _account(side, "default")
    pods = "/api/v1/namespaces/default/pods"
    scout = pod(
        f"on-{name}", app="scout", nodeSelector={"kubernetes.io/hostname": name}, tolerations=[{"operator": "Exists"}]
    )
    assert (made := side.ask(Ask("POST", pods, scout)))["code"] == 201, made
    path, until = f"{pods}/on-{name}", time.monotonic() + PATIENCE
    while not side.ask(Ask("GET", path))["body"]["spec"].get("nodeName"):
        assert time.monotonic() < until, f"{name} is not found"
        time.sleep(0.05)
    side.ask(Ask("DELETE", f"{path}?gracePeriodSeconds=0"))


def _take(side: Side, namespace: str, step: Any) -> None:
    """Makes a pod and waits until it has a node or is told why it has none; or does what a step names."""
    pods = f"/api/v1/namespaces/{namespace}/pods"
    if isinstance(step, dict):
        answer = side.ask(Ask("POST", pods, step))
        assert answer["code"] == 201, answer
        _verdict(side, f"{pods}/{step['metadata']['name']}")
        return
    what, name, more = step
    asks = {
        "delete": lambda: Ask("DELETE", f"{pods}/{name}"),
        "change": lambda: Ask("PATCH", f"{pods}/{name}", more, "application/merge-patch+json"),
        "budget": lambda: Ask("POST", f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", _budget(name)),
    }
    if what == "node":
        _join(side, more)
    else:
        assert (answer := side.ask(asks[what]()))["code"] < 300, answer


def _budget(app: str) -> dict[str, Any]:
    """One that lets no pod go."""
    return {"metadata": {"name": app}, "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": app}}}}


def _verdict(side: Side, path: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        found = side.ask(Ask("GET", path))["body"]
        told = found.get("status", {}).get("conditions") or ()
        if found["spec"].get("nodeName") or any(one["type"] == "PodScheduled" for one in told):
            return
        assert time.monotonic() < until, found
        time.sleep(0.05)


def _state(side: Side, namespace: str) -> Any:
    """The pods as the scheduler left them, and what it said of them."""
    pods = [_pod(one) for one in side.ask(Ask("GET", f"/api/v1/namespaces/{namespace}/pods"))["body"]["items"]]
    events = side.ask(Ask("GET", f"/api/v1/namespaces/{namespace}/events"))["body"]["items"]
    told = {
        json.dumps(_event(one, namespace), sort_keys=True)
        for one in events
        if one.get("reportingComponent") == "default-scheduler"
    }
    return {"pods": pods, "events": dict.fromkeys(told, "")}


def _pod(body: dict[str, Any]) -> dict[str, Any]:
    status = body["status"]
    conditions = [one for one in status.get("conditions") or () if one["type"] in ("PodScheduled", "DisruptionTarget")]
    if body["spec"].get("nodeName"):  # our kubelet has seen it, and tells which generation
        conditions = [{key: value for key, value in one.items() if key != "observedGeneration"} for one in conditions]
    return {
        "name": body["metadata"]["name"],
        "node": body["spec"].get("nodeName"),
        "nominated": status.get("nominatedNodeName"),
        "ending": "deletionTimestamp" in body["metadata"],
        "conditions": normal(conditions),
    }


def _event(body: dict[str, Any], namespace: str) -> Any:
    """An event without its name, its times and how often it was; the scheduler's name has the machine's in it."""
    kept = {key: value for key, value in body.items() if key not in ("metadata", "series", "eventTime")}
    text = json.dumps(normal(kept)).replace(namespace, "<namespace>")
    return json.loads(_HOST.sub("<scheduler>", text))


def _clear(side: Side, namespace: str) -> None:
    """Nothing may be in the way of the next scenario."""
    pods = f"/api/v1/namespaces/{namespace}/pods"
    for one in side.ask(Ask("GET", pods))["body"]["items"]:
        path = f"{pods}/{one['metadata']['name']}"
        side.ask(Ask("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json"))
        side.ask(Ask("DELETE", f"{path}?gracePeriodSeconds=0"))
    side.ask(Ask("DELETE", "/api/v1/nodes"))
