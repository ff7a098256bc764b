"""Pods of more priority take the room of others, and pods that must not be near each other are not put there."""

from typing import Any

import pytest

from kubeapi.controllers.simulated import Cluster, pod, running

pytestmark = pytest.mark.anyio
HOST = "kubernetes.io/hostname"


def big(name: str, cpu: str = "8", priority: int = 0, **more: Any) -> Any:
    """A pod that asks for so much of a node of eight CPUs."""
    container = {"name": "c", "image": "a:1", "resources": {"requests": {"cpu": cpu}}}
    return pod(name, containers=[container], priority=priority, terminationGracePeriodSeconds=30, **more)


def places(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """The node of each pod, and the one that it waits for."""
    return {
        one["metadata"]["name"]: (one["spec"].get("nodeName", ""), one["status"].get("nominatedNodeName", ""))
        for one in cluster.all("pods")
    }


def of_the_scheduler(cluster: Cluster) -> list[tuple[str, str, str]]:
    """What the scheduler said of which pod."""
    told = sorted(cluster.all("events"), key=lambda one: int(one["metadata"]["resourceVersion"]))
    return [
        (one["involvedObject"]["name"], one["reason"], one["message"])
        for one in told
        if one["reportingComponent"] == "default-scheduler"
    ]


async def test_a_pod_of_more_priority_waits_for_the_room_of_one_that_ends() -> None:
    async with running(nodes=1) as cluster:
        held = big("v")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await cluster.make("pods", held)
        await cluster.settle(3)
        await cluster.make("pods", big("p", priority=5))
        await cluster.make("pods", big("q", "1", priority=5))
        await cluster.settle(0)
        victim = cluster.one("pods", "v")
        uid = cluster.one("pods", "p")["metadata"]["uid"]
        disrupted = next(one for one in victim["status"]["conditions"] if one["type"] == "DisruptionTarget")
        assert (disrupted["status"], disrupted["reason"], disrupted["message"]) == (
            "True",
            "PreemptionByScheduler",
            "default-scheduler: preempting to accommodate a higher priority pod",
        )
        assert victim["metadata"]["deletionTimestamp"]
        assert places(cluster) == {"v": ("node-0", ""), "p": ("", "node-0"), "q": ("", "")}
        await cluster.settle(60)
        assert places(cluster) == {"v": ("node-0", ""), "p": ("node-0", ""), "q": ("", "")}
        none = "0/1 nodes are available: 1 Insufficient cpu."
        assert of_the_scheduler(cluster) == [
            ("v", "Scheduled", "Successfully assigned shop/v to node-0"),
            ("p", "FailedScheduling", none),
            ("v", "Preempted", f"Preempted by pod {uid} on node node-0"),
            (
                "q",
                "FailedScheduling",
                f"{none} no new claims to deallocate, preemption: 0/1 nodes are available: 1 Insufficient cpu.",
            ),
            ("p", "Scheduled", "Successfully assigned shop/p to node-0"),
            (
                "q",
                "FailedScheduling",
                f"{none} no new claims to deallocate, preemption: 0/1 nodes are available:"
                " 1 No preemption victims found for incoming pod.",
            ),
        ]


@pytest.mark.parametrize(
    ("there", "gone"),
    [
        ([big("a", "4", 3), big("b", "4", 1)], {"b"}),
        ([big("a", "1", 1), big("b", "6", 1), big("c", "1", 1)], {"b"}),
        ([big("a", "4", -7), big("b", "4", -5)], {"a"}),
        ([big("a", "4", 9), big("b", "4", 9)], set()),
        ([big("a", "8", 4)], {"a"}),
    ],
)
async def test_the_least_that_must_goes(there: list[Any], gone: set[str]) -> None:
    async with running(nodes=1) as cluster:
        for one in there:
            await cluster.make("pods", one)
        await cluster.settle(3)
        await cluster.make("pods", big("p", "4", 5))
        await cluster.settle(60)
        names = {one["metadata"]["name"] for one in there}
        assert names - places(cluster).keys() == gone
        assert places(cluster)["p"] == ("node-0" if gone else "", "")


async def test_who_waits_for_a_node_gives_way_to_one_of_more_priority() -> None:
    async with running(nodes=1) as cluster:
        await cluster.make("pods", big("v"))
        await cluster.settle(3)
        await cluster.make("pods", big("p", priority=5))
        await cluster.settle(0)
        await cluster.make("pods", big("q", priority=7))
        await cluster.settle(0)
        assert places(cluster) == {"v": ("node-0", ""), "p": ("", ""), "q": ("", "node-0")}
        await cluster.settle(60)
        assert places(cluster) == {"p": ("", ""), "q": ("node-0", "")}


async def test_a_budget_chooses_who_goes() -> None:
    async with running(nodes=1) as cluster:
        for name in ("a", "b"):
            body = big(name, "4")
            body["metadata"]["labels"] = {"app": name}
            await cluster.make("pods", body)
        budget = {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "b"}}}
        meta = {"name": "b", "namespace": "shop"}
        await cluster.make("poddisruptionbudgets.policy", {"metadata": meta, "spec": budget})
        await cluster.settle(3)
        await cluster.make("pods", big("p", "4", 5))
        await cluster.settle(60)
        assert sorted(places(cluster)) == ["b", "p"]


async def test_pods_are_not_put_near_one_that_does_not_bear_them() -> None:
    async with running() as cluster:
        rule = {"labelSelector": {"matchLabels": {"app": "crowd"}}, "topologyKey": HOST}
        alone = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}
        await cluster.make("pods", pod("hermit", affinity=alone, nodeSelector={HOST: "node-0"}))
        await cluster.settle(1)
        for name in ("a", "b", "c"):
            crowd = pod(name)
            crowd["metadata"]["labels"] = {"app": "crowd"}
            await cluster.make("pods", crowd)
        await cluster.settle(1)
        assert {node for name, (node, _) in places(cluster).items() if name != "hermit"} == {"node-1"}
        lost = pod("d", nodeSelector={HOST: "node-0"})
        lost["metadata"]["labels"] = {"app": "crowd"}
        await cluster.make("pods", lost)
        await cluster.settle(1)
        assert of_the_scheduler(cluster)[-1] == (
            "d",
            "FailedScheduling",
            "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector,"
            " 1 node(s) didn't satisfy existing pods anti-affinity rules. no new claims to deallocate, preemption:"
            " 0/2 nodes are available: 1 No preemption victims found for incoming pod,"
            " 1 Preemption is not helpful for scheduling.",
        )
        await cluster.api.delete("pods", "shop", "hermit", grace=0)
        await cluster.settle(1)
        assert places(cluster)["d"] == ("node-0", "")
