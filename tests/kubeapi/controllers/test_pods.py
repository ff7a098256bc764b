"""Pods: scheduled where they fit, started, crashed, refused and stopped as scripts and the cluster say."""

import pytest

from kubeapi.controllers.simulated import Cluster, pod, running

pytestmark = pytest.mark.anyio


def container(cluster: Cluster, name: str) -> dict[str, object]:
    """The status of a pod's only container."""
    (found,) = cluster.one("pods", name)["status"]["containerStatuses"]
    return dict(found)


def waiting(cluster: Cluster, name: str) -> tuple[str, str]:
    state = cluster.one("pods", name)["status"]["containerStatuses"][0]["state"]["waiting"]
    return state["reason"], state.get("message", "")


async def test_a_pod_is_ready_within_a_fifth_of_a_second() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("p"))
        await cluster.settle(0.2)
        status = cluster.one("pods", "p")["status"]
        assert status["phase"] == "Running"
        assert [(c["type"], c["status"]) for c in status["conditions"]] == [
            ("Initialized", "True"),
            ("Ready", "True"),
            ("ContainersReady", "True"),
            ("PodScheduled", "True"),
        ]
        assert status["podIP"].startswith("10.244.")
        assert [reason for kind, reason, _ in cluster.told() if kind == "Pod"] == [
            "Scheduled",
            "Pulled",
            "Created",
            "Started",
        ]


@pytest.mark.parametrize(
    ("image", "script", "reason", "message"),
    [
        (
            "shop/web:missing",
            "",
            "ImagePullBackOff",
            'Back-off pulling image "shop/web:missing": ErrImagePull: rpc error: code = NotFound desc = failed to pull and'
            ' unpack image "shop/web:missing": failed to resolve reference "shop/web:missing": shop/web:missing: not found',
        ),
        ("web:1", "pull-error=denied", "ImagePullBackOff", 'Back-off pulling image "web:1": ErrImagePull: denied'),
        (
            "Not/Valid!",
            "",
            "InvalidImageName",
            'Failed to apply default image tag "Not/Valid!": couldn\'t parse image name "Not/Valid!": invalid reference format',
        ),
        ("web:1", "config-error=no such key", "CreateContainerConfigError", "no such key"),
    ],
)
async def test_a_container_that_cannot_start_says_why(image: str, script: str, reason: str, message: str) -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("p", image, script))
        await cluster.settle(3)
        assert waiting(cluster, "p") == (reason, message)
        assert cluster.one("pods", "p")["status"]["phase"] == "Pending"


async def test_a_missing_config_map_holds_a_container_until_it_is_there() -> None:
    async with running() as cluster:
        spec = {"containers": [{"name": "c", "image": "a:1", "envFrom": [{"configMapRef": {"name": "conf"}}]}]}
        await cluster.make("pods", pod("p", **spec))
        await cluster.settle(2)
        assert waiting(cluster, "p") == ("CreateContainerConfigError", 'configmap "conf" not found')
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}, "data": {}}
        await cluster.make("configmaps", body)
        await cluster.settle(0.1)
        assert cluster.one("pods", "p")["status"]["phase"] == "Running"


async def test_a_missing_secret_volume_is_told_once_and_mounted_when_it_comes() -> None:
    async with running() as cluster:
        spec = {"volumes": [{"name": "v", "secret": {"secretName": "key", "items": [{"key": "k", "path": "k"}]}}]}
        await cluster.make("pods", pod("p", **spec))
        await cluster.settle(5)
        told = [message for kind, reason, message in cluster.told() if reason == "FailedMount"]
        assert told == ['MountVolume.SetUp failed for volume "v" : secret "key" not found']
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "key", "namespace": "shop"},
            "data": {"k": "dg=="},
        }
        await cluster.make("secrets", body)
        await cluster.settle(0.2)
        assert cluster.one("pods", "p")["status"]["phase"] == "Running"
        assert cluster.loop.cache.get("secrets", "shop", "key") is not None
        assert "dg==" not in str(cluster.loop.cache.get("secrets", "shop", "key"))


async def test_a_crashing_container_backs_off_twice_as_long_each_time() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("p", script="crash=3,exit=2,message=boom"))
        await cluster.settle(1)
        uid = cluster.one("pods", "p")["metadata"]["uid"]
        assert waiting(cluster, "p") == (
            "CrashLoopBackOff",
            f"back-off 10s restarting failed container=c pod=p_shop({uid})",
        )
        await cluster.settle(11)
        assert waiting(cluster, "p")[1].startswith("back-off 20s ")
        await cluster.settle(30)
        found = container(cluster, "p")
        assert (found["restartCount"], found["ready"]) == (3, True)
        last = cluster.one("pods", "p")["status"]["containerStatuses"][0]["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"], last["message"]) == (2, "Error", "boom")


async def test_memory_that_runs_out_is_told_as_such() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("p", script="oom", restartPolicy="Never"))
        await cluster.settle(2)
        ended = cluster.one("pods", "p")["status"]["containerStatuses"][0]["state"]["terminated"]
        assert (ended["reason"], ended["exitCode"], cluster.one("pods", "p")["status"]["phase"]) == (
            "OOMKilled",
            137,
            "Failed",
        )


async def test_readiness_waits_as_scripted_and_for_its_gates() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("slow", script="ready=30s"))
        await cluster.make("pods", pod("gated", readinessGates=[{"conditionType": "lb"}]))
        await cluster.settle(10)
        for name, why in (("slow", "ContainersNotReady"), ("gated", "ReadinessGatesNotReady")):
            ready = next(c for c in cluster.one("pods", name)["status"]["conditions"] if c["type"] == "Ready")
            assert (ready["status"], ready["reason"]) == ("False", why)
        await cluster.settle(25)
        assert container(cluster, "slow")["ready"] is True


async def test_init_containers_end_one_after_the_other_before_the_rest_starts() -> None:
    async with running() as cluster:
        inits = [{"name": "one", "image": "i:1"}, {"name": "two", "image": "i:1"}]
        await cluster.make("pods", pod("p", initContainers=inits))
        await cluster.settle(0.1)
        status = cluster.one("pods", "p")["status"]
        assert "terminated" in status["initContainerStatuses"][0]["state"]
        assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
        await cluster.settle(1)
        assert cluster.one("pods", "p")["status"]["phase"] == "Running"


async def test_a_deleted_pod_goes_after_a_moment_and_one_that_is_held_says_that_it_has_ended() -> None:
    async with running() as cluster:
        held = pod("held")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        for body in (pod("p", script="terminate=5s"), held):
            await cluster.make("pods", body)
        await cluster.settle(1)
        for name in ("p", "held"):
            await cluster.api.delete("pods", "shop", name)
        await cluster.settle(4)
        assert {one["metadata"]["name"] for one in cluster.all("pods")} == {"p", "held"}
        await cluster.settle(2)
        (left,) = cluster.all("pods")
        assert (left["metadata"]["name"], left["status"]["phase"]) == ("held", "Failed")
        assert ("Pod", "Killing", "Stopping container c") in cluster.told()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"containers": [{"name": "c", "image": "a:1", "resources": {"requests": {"cpu": "9", "memory": "1Gi"}}}]},
            "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate,"
            " preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        ),
        (
            {
                "affinity": {
                    "podAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "none"}}}
                        ]
                    }
                }
            },
            "0/2 nodes are available: 2 node(s) didn't match pod affinity rules. no new claims to deallocate,"
            " preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        ),
        (
            {
                "topologySpreadConstraints": [
                    {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
                ]
            },
            "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints (missing required label)."
            " no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        ),
        (
            {"nodeSelector": {"disk": "ssd"}},
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate,"
            " preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        ),
        (
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}]},
            '0/2 nodes are available: persistentvolumeclaim "none" not found. not found',
        ),
    ],
)
async def test_a_pod_that_fits_nowhere_is_told_why(spec: dict[str, object], message: str) -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("p", **spec))
        await cluster.settle(1)
        (condition,) = cluster.one("pods", "p")["status"]["conditions"]
        assert (condition["type"], condition["reason"], condition["message"]) == (
            "PodScheduled",
            "Unschedulable",
            message,
        )
        assert ("Pod", "FailedScheduling", message) in cluster.told()


async def test_a_pod_waits_for_room_and_takes_it_when_another_goes() -> None:
    async with running(nodes=1) as cluster:
        spec = {"containers": [{"name": "c", "image": "a:1", "resources": {"requests": {"cpu": "5"}}}]}
        for name in ("first", "second"):
            await cluster.make("pods", pod(name, **spec))
        await cluster.settle(1)
        assert "nodeName" not in cluster.one("pods", "second")["spec"]
        await cluster.api.delete("pods", "shop", "first")
        await cluster.settle(1)
        assert cluster.one("pods", "second")["spec"]["nodeName"] == "node-0"


async def test_a_cordoned_node_is_tainted_and_gets_no_pods_until_it_is_free_again() -> None:
    async with running(nodes=1) as cluster:
        await cluster.change("nodes", "", "node-0", {"spec": {"unschedulable": True}})
        await cluster.settle(0.1)
        taints = cluster.one("nodes", "node-0", "")["spec"]["taints"]
        assert [(taint["key"], taint["effect"]) for taint in taints] == [
            ("node.kubernetes.io/unschedulable", "NoSchedule")
        ]
        await cluster.make("pods", pod("p"))
        await cluster.settle(1)
        assert cluster.one("pods", "p")["status"]["phase"] == "Pending"
        await cluster.change("nodes", "", "node-0", {"spec": {"unschedulable": None}})
        await cluster.settle(1)
        assert cluster.one("pods", "p")["status"]["phase"] == "Running"
        assert "taints" not in cluster.one("nodes", "node-0", "")["spec"]


async def test_pods_with_anti_affinity_by_hostname_live_on_different_nodes() -> None:
    async with running() as cluster:
        rule = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}
        affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}
        for number in range(3):
            body = pod(f"p{number}", affinity=affinity)
            body["metadata"]["labels"] = {"app": "x"}
            await cluster.make("pods", body)
        await cluster.settle(1)
        nodes = [one["spec"].get("nodeName", "") for one in cluster.all("pods")]
        assert sorted(nodes) == ["", "node-0", "node-1"]


async def test_a_task_that_nobody_owns_takes_its_time_and_then_succeeds() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("once", restartPolicy="Never"))
        await cluster.settle(3)
        assert cluster.one("pods", "once")["status"]["phase"] == "Running"
        await cluster.settle(5)
        assert cluster.one("pods", "once")["status"]["phase"] == "Succeeded"


async def test_pods_with_the_same_port_of_their_host_go_to_different_nodes() -> None:
    port = {"containers": [{"name": "c", "image": "a:1", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}
    async with running() as cluster:
        for name in ("a", "b", "c"):
            await cluster.make("pods", pod(name, **port))
            await cluster.settle(1)
        assert {cluster.one("pods", name)["spec"]["nodeName"] for name in ("a", "b")} == {"node-0", "node-1"}
        (condition,) = cluster.one("pods", "c")["status"]["conditions"]
        assert condition["message"] == (
            "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports. no new claims to deallocate,"
            " preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
        )
