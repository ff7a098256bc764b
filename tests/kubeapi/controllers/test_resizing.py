"""Pods resized in place: at once where the node has room, later where others leave it, and with a new start where the policy wants one.

What is told are the words of a kubelet 1.36 (pkg/kubelet/allocation, events and kuberuntime), which cannot run here.
"""

from pathlib import Path
from typing import Any

import pytest

from kilde.core.basics.values import Object
from kubeapi.controllers.simulated import Cluster, pod, running
from kubeapi.kubectl import cluster as served

pytestmark = pytest.mark.anyio


def sized(name: str, cpu: str, script: str = "", **container: Any) -> Object:
    """A pod that asks for so much CPU, and may have it."""
    one = {"name": "c", "image": "app:1", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}, **container}
    return pod(name, script=script, containers=[one])


async def resize(cluster: Cluster, name: str, cpu: str) -> None:
    """What the sub-resource does."""
    held = cluster.one("pods", name)
    (one,) = held["spec"]["containers"]
    new = {**one, "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}}
    await cluster.change("pods", "shop", name, {"spec": {"containers": [new]}})


def has(cluster: Cluster, name: str) -> tuple[str, str]:
    """(the CPU that is set aside, the CPU that the container has)."""
    (one,) = cluster.one("pods", name)["status"]["containerStatuses"]
    return one["allocatedResources"]["cpu"], one["resources"]["limits"]["cpu"]


def conditions(cluster: Cluster, name: str) -> list[tuple[str, str, str, int]]:
    found = cluster.one("pods", name)["status"]["conditions"]
    return [
        (one["type"], one.get("reason", ""), one.get("message", ""), one["observedGeneration"])
        for one in found
        if one["type"].startswith("PodResize")
    ]


def resizes(cluster: Cluster) -> list[tuple[str, str]]:
    return [(reason, text) for _, reason, text in cluster.told() if reason.startswith("Resize")]


def said(cpu: str, generation: int) -> str:
    resources = f'{{"limits":{{"cpu":"{cpu}"}},"requests":{{"cpu":"{cpu}"}}}}'
    return f'{{"containers":[{{"name":"c","resources":{resources}}}],"generation":{generation}'


async def test_a_container_tells_what_it_was_given() -> None:
    async with running() as cluster:
        await cluster.make("pods", sized("p", "500m"))
        await cluster.make("pods", pod("bare"))
        await cluster.make("pods", pod("stuck", "shop/web:missing"))
        await cluster.settle(0.3)
        (bare,) = cluster.one("pods", "bare")["status"]["containerStatuses"]
        (stuck,) = cluster.one("pods", "stuck")["status"]["containerStatuses"]
        assert has(cluster, "p") == ("500m", "500m")
        assert (bare["resources"], "allocatedResources" in bare) == ({}, False)
        assert "resources" not in stuck


async def test_a_resize_is_in_progress_until_the_container_has_it() -> None:
    async with running() as cluster:
        await cluster.make("pods", sized("p", "500m", "resize=5s"))
        await cluster.settle(0.3)
        await resize(cluster, "p", "2")
        await cluster.settle(1)
        assert has(cluster, "p") == ("2", "500m")
        generation = cluster.one("pods", "p")["metadata"]["generation"]
        assert conditions(cluster, "p") == [("PodResizeInProgress", "", "", generation)]
        await cluster.settle(5)
        assert has(cluster, "p") == ("2", "2")
        assert conditions(cluster, "p") == []
        assert cluster.one("pods", "p")["status"]["containerStatuses"][0]["restartCount"] == 0
        assert resizes(cluster) == [
            ("ResizeStarted", f"Pod resize started: {said('2', generation)}}}"),
            ("ResizeCompleted", f"Pod resize completed: {said('2', generation)}}}"),
        ]
        writes = len(cluster.api.writes)
        await cluster.settle(600)
        assert [write for write in cluster.api.writes[writes:] if write[1] == "pods"] == []


async def test_a_resize_waits_until_others_leave_room() -> None:
    async with running(nodes=1) as cluster:
        await cluster.make("pods", sized("p", "1"))
        await cluster.make("pods", sized("other", "5"))
        await cluster.settle(0.3)
        await resize(cluster, "p", "4")
        await cluster.settle(200)
        told = "Node didn't have enough resource: cpu, requested: 4000, used: 5000, capacity: 8000"
        generation = cluster.one("pods", "p")["metadata"]["generation"]
        assert has(cluster, "p") == ("1", "1")
        assert conditions(cluster, "p") == [("PodResizePending", "Deferred", told, generation)]
        assert resizes(cluster) == [
            ("ResizeDeferred", f'Pod resize OutOfcpu: {said("4", generation)},"error":"{told}"}}')
        ]
        await resize(cluster, "other", "3")
        await cluster.settle(1)
        assert has(cluster, "p") == ("4", "4")
        assert conditions(cluster, "p") == []


async def test_a_wish_that_is_taken_back_is_told_no_more() -> None:
    async with running(nodes=1) as cluster:
        await cluster.make("pods", sized("p", "1"))
        await cluster.settle(0.3)
        await resize(cluster, "p", "9")
        await cluster.settle(1)
        assert [one[1] for one in conditions(cluster, "p")] == ["Deferred"]
        await resize(cluster, "p", "1")
        await cluster.settle(1)
        assert conditions(cluster, "p") == []
        assert [reason for reason, _ in resizes(cluster)] == ["ResizeDeferred"]


async def test_a_policy_has_the_container_started_anew() -> None:
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    async with running() as cluster:
        await cluster.make("pods", sized("p", "1", resizePolicy=policy))
        await cluster.settle(0.3)
        await resize(cluster, "p", "2")
        await cluster.settle(1)
        (one,) = cluster.one("pods", "p")["status"]["containerStatuses"]
        assert (one["restartCount"], one["ready"], one["resources"]["limits"]) == (1, True, {"cpu": "2"})
        assert ("Pod", "Killing", "Container c resize requires restart") in cluster.told()


@pytest.mark.slow
async def test_kubectl_resizes_a_pod(tmp_path: Path) -> None:
    async with served(tmp_path) as kubectl:
        body = sized("p", "500m")
        del body["metadata"]["namespace"]
        await kubectl.apply(body)
        await kubectl.both("wait", "pod/p", "--for=condition=Ready", "--timeout=20s")
        change = '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"2"},"limits":{"cpu":"2"}}}]}}'
        code, told = await kubectl.both("patch", "pod", "p", "--subresource", "resize", "-p", change)
        assert (code, told.strip()) == (0, "pod/p patched")
        path = "jsonpath={.status.containerStatuses[0].resources.limits.cpu}"
        code, told = await kubectl.both("wait", "pod/p", f"--for={path}=2", "--timeout=20s")
        assert code == 0, told
