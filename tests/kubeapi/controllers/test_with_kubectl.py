"""The whole: a server in this process, everything simulated, and the real kubectl that waits for what it shows."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kubeapi.kubectl import cluster

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def workload(kind: str, name: str, image: str = "app:1", **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": image}]},
    }
    body = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


async def test_kubectl_follows_rollouts_to_their_end(tmp_path: Path) -> None:
    async with cluster(tmp_path) as kubectl:
        await kubectl.apply(
            workload("Deployment", "web", replicas=3),
            workload("StatefulSet", "db", replicas=2, serviceName="db"),
            workload("DaemonSet", "agent"),
        )
        for image in ("app:1", "app:2"):
            ends = []
            for target in ("deploy/web", "sts/db", "ds/agent"):
                if image == "app:2":
                    await kubectl.both("set", "image", target, f"c={image}")
                code, told = await kubectl.both("rollout", "status", target, "--timeout=20s")
                ends.append((code, told.strip().splitlines()[-1]))
            assert ends == [
                (0, 'deployment "web" successfully rolled out'),
                (0, "partitioned roll out complete: 2 new pods have been updated..."),
                (0, 'daemon set "agent" successfully rolled out'),
            ]
        code, told = await kubectl.both("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}")
        assert (code, set(told.split())) == (0, {"app:2"})
        code, told = await kubectl.both("rollout", "history", "deploy/web")
        assert [line.split()[0] for line in told.split("\n")[2:] if line] == ["1", "2"]


async def test_kubectl_sees_a_broken_image_and_the_cure(tmp_path: Path) -> None:
    async with cluster(tmp_path) as kubectl:
        await kubectl.apply(workload("Deployment", "web", "app:missing", replicas=1))
        code, told = await kubectl.both("rollout", "status", "deploy/web", "--timeout=2s")
        assert code == 1
        code, told = await kubectl.both("get", "pods")
        assert "ImagePullBackOff" in told or "ErrImagePull" in told
        await kubectl.both("set", "image", "deploy/web", "c=app:1")
        code, told = await kubectl.both("rollout", "status", "deploy/web", "--timeout=20s")
        assert (code, told.strip().splitlines()[-1]) == (0, 'deployment "web" successfully rolled out')


async def test_an_idle_cluster_writes_nothing(tmp_path: Path) -> None:
    async with cluster(tmp_path) as kubectl:
        await kubectl.apply(workload("Deployment", "web", replicas=2))
        await kubectl.both("rollout", "status", "deploy/web", "--timeout=20s")
        await asyncio.sleep(1.5)
        versions = []
        for _ in range(2):
            _, told = await kubectl.both("get", "--raw", "/api/v1/nodes")
            versions.append(json.loads(told)["metadata"]["resourceVersion"])
            await asyncio.sleep(2)
        assert versions[0] == versions[1]


async def test_kubectl_waits_for_a_job(tmp_path: Path) -> None:
    async with cluster(tmp_path) as kubectl:
        template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "job:1"}]}}
        body = {"completions": 3, "parallelism": 2, "template": template}
        await kubectl.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": body})
        code, told = await kubectl.both("wait", "--for=condition=complete", "job/j", "--timeout=20s")
        assert (code, told) == (0, "job.batch/j condition met\n")
