"""An autoscaler follows what scripts say that pods use, at upstream's pace and in its words."""

from typing import Any

import pytest

from kubeapi.controllers.simulated import Cluster, deployment, running, template, verdicts
from kubeapi.controllers.test_scripts import rule

pytestmark = pytest.mark.anyio
RESOURCE = "horizontalpodautoscalers.autoscaling"


def scaler(target: dict[str, Any], **spec: Any) -> dict[str, Any]:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    body = {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 10, "metrics": [metric], **spec}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": body}


def web(replicas: int, *, requests: dict[str, str] | None = None) -> dict[str, Any]:
    body = template("web")
    body["spec"]["containers"][0]["resources"] = {"requests": requests or {}}
    return deployment(replicas=replicas, template=body)


def size(cluster: Cluster) -> int:
    return int(cluster.one("deployments.apps", "web")["spec"]["replicas"])


UTILIZATION = {"type": "Utilization", "averageUtilization": 50}


async def test_it_grows_at_once_and_shrinks_after_five_minutes() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", web(2, requests={"cpu": "100m"}))
        await cluster.make(RESOURCE, scaler(UTILIZATION))
        await rule(cluster, "r", {"usage": {"cpu": "100m"}}, kind="Deployment", name="web")
        await cluster.settle(20)
        found = cluster.one(RESOURCE, "web")
        assert size(cluster) == 4
        current = found["status"]["currentMetrics"][0]["resource"]["current"]
        assert current == {"averageUtilization": 100, "averageValue": "100m"}
        words = "New size: 4; reason: cpu resource utilization (percentage of request) above target"
        assert ("HorizontalPodAutoscaler", "SuccessfulRescale", words) in cluster.told()
        await cluster.settle(60)
        assert size(cluster) == 10  # 4, 8, and then the bound
        assert ("ScalingLimited", "True", "TooManyReplicas") in [
            one[:3] for one in verdicts(cluster.one(RESOURCE, "web"))
        ]

        await cluster.api.delete("simulationrules.sim.kilde.dev", "", "r")
        await rule(cluster, "s", {"usage": {"cpu": "10m"}}, kind="Deployment", name="web")
        await cluster.settle(200)
        assert size(cluster) == 10
        assert ("AbleToScale", "True", "ScaleDownStabilized") in [
            one[:3] for one in verdicts(cluster.one(RESOURCE, "web"))
        ]
        await cluster.settle(150)
        assert size(cluster) == 2
        words = "New size: 2; reason: All metrics below target"
        assert ("HorizontalPodAutoscaler", "SuccessfulRescale", words) in cluster.told()


async def test_a_tenth_more_or_less_changes_nothing() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", web(4, requests={"cpu": "100m"}))
        await cluster.make(RESOURCE, scaler(UTILIZATION))
        await rule(cluster, "r", {"usage": {"cpu": "55m"}}, kind="Deployment", name="web")
        await cluster.settle(400)
        assert size(cluster) == 4


async def test_an_average_value_is_a_goal_for_each_pod() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", web(2))
        await cluster.make(RESOURCE, scaler({"type": "AverageValue", "averageValue": "200m"}))
        await rule(cluster, "r", {"usage": {"cpu": "300m"}}, kind="Deployment", name="web")
        await cluster.settle(16)
        assert size(cluster) == 3


async def test_requests_that_are_missing_are_told() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", web(2))
        await cluster.make(RESOURCE, scaler(UTILIZATION))
        await rule(cluster, "r", {"usage": {"cpu": "300m"}}, kind="Deployment", name="web")
        await cluster.settle(60)
        active = next(one for one in verdicts(cluster.one(RESOURCE, "web")) if one[0] == "ScalingActive")
        assert active[1:3] == ("False", "FailedGetResourceMetric")
        why = "failed to get cpu utilization: missing request for cpu in container c of Pod web-"
        assert active[3].startswith(f"the HPA was unable to compute the replica count: {why}")
        assert size(cluster) == 2


async def test_without_a_script_load_is_steady_and_nothing_is_written() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", web(3, requests={"cpu": "100m"}))
        await cluster.make(RESOURCE, scaler(UTILIZATION))
        await cluster.settle(30)
        version = cluster.api.version
        await cluster.settle(600)
        assert (size(cluster), cluster.api.version) == (3, version)


async def test_without_a_cloud_nothing_measures_and_it_says_so_once() -> None:
    async with running(cloud=False) as cluster:
        await cluster.make("deployments.apps", web(3, requests={"cpu": "100m"}))
        await cluster.make(RESOURCE, scaler(UTILIZATION))
        await cluster.settle(600)
        why = (
            "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics "
            "API: the server could not find the requested resource (get pods.metrics.k8s.io)"
        )
        got = "the HPA controller was able to get the target's current scale"
        assert verdicts(cluster.one(RESOURCE, "web")) == [
            ("AbleToScale", "True", "SucceededGetScale", got),
            (
                "ScalingActive",
                "False",
                "FailedGetResourceMetric",
                f"the HPA was unable to compute the replica count: {why}",
            ),
        ]
        whole = f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {why}"
        assert [one[1:] for one in cluster.told() if one[0] == "HorizontalPodAutoscaler"] == [
            ("FailedGetResourceMetric", why),
            ("FailedComputeMetricsReplicas", whole),
        ]
