"""Scripts and rules: what pretended pods, claims, services and nodes do when somebody wants them to, in the cluster's own time."""

from typing import Any

import pytest

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.rules import RULES, pod_steps
from kubeapi.controllers.simulated import Cluster, deployment, job, pod, running, template, verdicts

pytestmark = pytest.mark.anyio


async def rule(
    cluster: Cluster, rule_name: str, /, *script: dict[str, Any], override: bool = False, **match: Any
) -> None:
    spec = {"match": match, "script": list(script), "override": override}
    body = {"kind": "SimulationRule", "metadata": {"name": rule_name}, "spec": spec}
    await cluster.make(RULES, body)


def container(cluster: Cluster, name: str, index: int = 0) -> Object:
    found: Object = cluster.one("pods", name)["status"]["containerStatuses"][index]
    return found


def is_ready(cluster: Cluster, name: str) -> bool:
    return bool(container(cluster, name)["ready"])


async def test_a_crash_loop_ends_when_the_rule_says_so() -> None:
    async with running() as cluster:
        crash = ({"start": "1s"}, {"exit": {"code": 3, "after": "2s", "message": "boom"}}, {"crashLoop": {"times": 3}})
        await rule(cluster, "r", *crash, labelSelector={"app": "crashy"})
        await cluster.make("pods", {**pod("p"), "metadata": {**pod("p")["metadata"], "labels": {"app": "crashy"}}})
        await cluster.make("pods", pod("other"))
        await cluster.settle(3.1)
        assert container(cluster, "p")["lastState"]["terminated"]["message"] == "boom"
        await cluster.settle(13)
        assert container(cluster, "p")["restartCount"] == 2
        await cluster.settle(300)
        assert (container(cluster, "p")["restartCount"], is_ready(cluster, "p")) == (3, True)
        assert container(cluster, "other")["restartCount"] == 0


async def test_an_image_that_cannot_be_pulled_backs_off_and_comes_when_the_registry_does() -> None:
    async with running() as cluster:
        await rule(
            cluster,
            "r",
            {"imagePull": {"error": "ErrImagePull", "message": "no route", "times": 3}},
            image="*:1-broken",
        )
        await cluster.make("pods", pod("p", image="x:1-broken"))
        await cluster.settle(0.1)
        assert container(cluster, "p")["state"]["waiting"] == {"reason": "ErrImagePull", "message": "no route"}
        await cluster.settle(1)
        waiting = container(cluster, "p")["state"]["waiting"]
        assert waiting["reason"] == "ImagePullBackOff"
        assert waiting["message"] == 'Back-off pulling image "x:1-broken": ErrImagePull: no route'
        await cluster.settle(60)
        assert is_ready(cluster, "p")
        failed = [words for kind, reason, words in cluster.told() if (kind, reason) == ("Pod", "Failed")]
        assert 'Failed to pull image "x:1-broken": no route' in failed


async def test_a_rollout_that_stalls_runs_into_its_deadline_and_goes_on_when_the_rule_goes() -> None:
    async with running() as cluster:
        await rule(cluster, "r", {"stallAfterReplicas": 2}, kind="Deployment", name="web")
        await cluster.make("deployments.apps", deployment(replicas=4, progressDeadlineSeconds=600))
        await cluster.settle(590)
        assert cluster.one("deployments.apps", "web")["status"]["readyReplicas"] == 2
        await cluster.settle(20)
        why = [(kind, reason) for kind, _, reason, _ in verdicts(cluster.one("deployments.apps", "web"))]
        assert ("Progressing", "ProgressDeadlineExceeded") in why
        await cluster.api.delete(RULES, "", "r")
        await cluster.settle(5)
        assert cluster.one("deployments.apps", "web")["status"]["readyReplicas"] == 4


async def test_a_pod_that_is_slow_to_get_ready_is_so_by_its_owners_annotation() -> None:
    async with running() as cluster:
        body = deployment(replicas=1)
        body["metadata"]["annotations"] = {"sim.kilde.dev/pod": "ready=45s"}
        await cluster.make("deployments.apps", body)
        await cluster.settle(44)
        assert "readyReplicas" not in cluster.one("deployments.apps", "web")["status"]
        await cluster.settle(2)
        assert cluster.one("deployments.apps", "web")["status"]["readyReplicas"] == 1


async def test_annotations_win_over_rules_and_rules_that_override_win_over_both() -> None:
    async with running() as cluster:
        await rule(cluster, "a", {"readyDelay": "10s"}, namespace="shop")
        await cluster.make("pods", pod("ruled"))
        await cluster.make("pods", pod("annotated", script="ready=0s"))
        await cluster.settle(5)
        assert (is_ready(cluster, "ruled"), is_ready(cluster, "annotated")) == (False, True)
        await rule(cluster, "b", {"readyDelay": "1m"}, override=True, name="annotated")
        await cluster.settle(6)
        assert (is_ready(cluster, "ruled"), is_ready(cluster, "annotated")) == (True, False)
        await cluster.settle(60)
        assert is_ready(cluster, "annotated")


async def test_one_container_follows_its_own_script() -> None:
    async with running() as cluster:
        body = pod("p")
        body["spec"]["containers"] = [{"name": "c", "image": "app:1"}, {"name": "d", "image": "sidecar:1"}]
        body["metadata"]["annotations"] = {"sim.kilde.dev/container.d": "oom,after=1s,crash=1"}
        await cluster.make("pods", body)
        await cluster.settle(1.5)
        ended = container(cluster, "p", 1)["lastState"]["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
        assert [container(cluster, "p", index)["restartCount"] for index in (0, 1)] == [0, 1]


async def test_readiness_comes_and_goes() -> None:
    async with running() as cluster:
        await rule(cluster, "r", {"flap": {"ready": "10s", "unready": "5s"}})
        await cluster.make("pods", pod("p"))
        seen = []
        for _ in range(6):
            await cluster.settle(5)
            seen.append(is_ready(cluster, "p"))
        assert seen == [True, True, False, True, True, False]
        assert ("Pod", "Unhealthy", "Readiness probe failed: simulated") in cluster.told()


async def test_a_jobs_first_pods_fail_as_often_as_wanted() -> None:
    async with running() as cluster:
        await rule(cluster, "r", {"jobFail": {"times": 2}}, kind="Job", name="j")
        await cluster.make("jobs.batch", job("j"))
        await cluster.settle(60)
        status = cluster.one("jobs.batch", "j")["status"]
        assert (status["failed"], status["succeeded"]) == (2, 1)


async def test_init_containers_fail_as_often_as_wanted() -> None:
    async with running() as cluster:
        await rule(cluster, "r", {"initFail": {"times": 2, "code": 7}})
        await cluster.make("pods", pod("p", initContainers=[{"name": "first", "image": "init:1"}]))
        await cluster.settle(1)
        first = cluster.one("pods", "p")["status"]["initContainerStatuses"][0]
        assert first["lastState"]["terminated"]["exitCode"] == 7
        await cluster.settle(30)
        first = cluster.one("pods", "p")["status"]["initContainerStatuses"][0]
        assert (first["restartCount"], first["ready"], is_ready(cluster, "p")) == (2, True, True)


async def test_a_pod_is_evicted_or_never_placed_or_never_made() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("evicted", script="evict=30s,message=no more room"))
        await cluster.make("pods", pod("homeless", script="unschedulable=no gpu"))
        await cluster.make("pods", pod("unmade", script='config-error=secret "x" not found'))
        await cluster.settle(31)
        gone = cluster.one("pods", "evicted")["status"]
        assert (gone["phase"], gone["reason"], gone["message"]) == ("Failed", "Evicted", "no more room")
        why = verdicts(cluster.one("pods", "homeless"))[0]
        assert why == ("PodScheduled", "False", "Unschedulable", "0/2 nodes are available: no gpu.")
        assert container(cluster, "unmade")["state"]["waiting"]["reason"] == "CreateContainerConfigError"
        assert ("Pod", "Evicted", "no more room") in cluster.told()


async def test_a_node_goes_down_its_pods_move_and_it_comes_back() -> None:
    async with running() as cluster:
        bears = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300}
        await cluster.make("deployments.apps", deployment(replicas=4, template=template("web", tolerations=[bears])))
        await cluster.settle(1)
        await rule(
            cluster, "r", {"nodeDown": {"after": "10s", "for": "10m"}}, kind="Node", name="node-1", namespace="x"
        )
        await cluster.settle(11)
        node = cluster.one("nodes", "node-1", "")
        ready = next(one for one in verdicts(node) if one[0] == "Ready")
        assert ready == ("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
        assert {(one["key"], one["effect"]) for one in node["spec"]["taints"]} == {
            ("node.kubernetes.io/unreachable", "NoSchedule"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
        }
        assert ("Node", "NodeNotReady", "Node node-1 status is now: NodeNotReady") in cluster.told()
        assert cluster.one("deployments.apps", "web")["status"]["readyReplicas"] == 2
        await cluster.settle(305)
        assert cluster.one("deployments.apps", "web")["status"]["readyReplicas"] == 4
        assert [
            one["spec"]["nodeName"] for one in cluster.all("pods") if not one["metadata"].get("deletionTimestamp")
        ] == ["node-0"] * 4
        await cluster.settle(345)
        node = cluster.one("nodes", "node-1", "")
        assert next(one for one in verdicts(node) if one[0] == "Ready")[1:3] == ("True", "KubeletReady")
        assert not node["spec"].get("taints")
        assert ("Node", "NodeReady", "Node node-1 status is now: NodeReady") in cluster.told()


async def test_a_node_is_not_ready_by_annotation() -> None:
    async with running() as cluster:
        change = {"metadata": {"annotations": {"sim.kilde.dev/node": "not-ready,message=no network"}}}
        await cluster.change("nodes", "", "node-0", change)
        await cluster.settle(1)
        ready = next(one for one in verdicts(cluster.one("nodes", "node-0", "")) if one[0] == "Ready")
        assert ready == ("Ready", "False", "KubeletNotReady", "no network")


async def test_claims_and_addresses_wait() -> None:
    async with running() as cluster:
        claim = {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "c", "namespace": "shop", "annotations": {"sim.kilde.dev/claim": "pending=1m"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
        service = {
            "kind": "Service",
            "metadata": {"name": "lb", "namespace": "shop"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "clusterIP": "10.0.0.9"},
        }
        ingress = {"kind": "Ingress", "metadata": {"name": "i", "namespace": "shop"}, "spec": {}}
        await rule(cluster, "r", {"lbPending": {"for": "30s", "message": "quota"}}, kind="Service")
        await rule(cluster, "s", {"ingressAddress": {"hostname": "lb.example.org"}}, kind="Ingress")
        for resource, body in (
            ("persistentvolumeclaims", claim),
            ("services", service),
            ("ingresses.networking.k8s.io", ingress),
        ):
            await cluster.make(resource, body)
        await cluster.settle(20)
        assert cluster.one("persistentvolumeclaims", "c").get("status", {}).get("phase") != "Bound"
        assert not cluster.one("services", "lb").get("status", {}).get("loadBalancer")
        words = "Error syncing load balancer: failed to ensure load balancer: quota"
        assert ("Service", "SyncLoadBalancerFailed", words) in cluster.told()
        given = cluster.one("ingresses.networking.k8s.io", "i")["status"]["loadBalancer"]["ingress"]
        assert given == [{"hostname": "lb.example.org"}]
        await cluster.settle(50)
        assert cluster.one("persistentvolumeclaims", "c")["status"]["phase"] == "Bound"
        assert cluster.one("services", "lb")["status"]["loadBalancer"]["ingress"][0]["ip"].startswith("203.0.113.")


async def test_a_pod_that_never_ends_stays_until_it_is_forced() -> None:
    async with running() as cluster:
        await rule(cluster, "r", {"finalizerStuck": True})
        await cluster.make("pods", pod("p"))
        await cluster.settle(1)
        await cluster.api.delete("pods", "shop", "p", grace=30)
        await cluster.settle(29)
        assert cluster.one("pods", "p")["metadata"]["deletionTimestamp"]


async def test_the_same_story_has_the_same_end() -> None:
    ends = []
    for _ in range(2):
        async with running() as cluster:
            await rule(cluster, "r", {"readyDelay": "5s"}, {"jitter": "10s"})
            await cluster.make("deployments.apps", deployment(replicas=3))
            await cluster.settle(120)
            ends.append(len(cluster.told()))
    assert ends[0] == ends[1]


async def test_steps_are_gathered_from_everywhere() -> None:
    async with running() as cluster:
        await rule(cluster, "r", {"readyDelay": "1s"}, {"start": "2s"}, image="app:*")
        body = template("web", script="ready=3s")
        one = {"kind": "Pod", "metadata": {"name": "p", "namespace": "shop", **body["metadata"]}, "spec": body["spec"]}
        await cluster.settle(0)
        assert pod_steps(one, cluster.loop.cache) == {"ready": "3s", "start": "2s"}
