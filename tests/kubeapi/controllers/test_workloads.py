"""Deployments, ReplicaSets, StatefulSets and DaemonSets reach their end states, with the words of the real controllers."""

import pytest

from kubeapi.controllers.simulated import Cluster, deployment, pod, running, template, verdicts, workload

pytestmark = pytest.mark.anyio
IMAGE = "spec", "template", "spec", "containers"


def roll(app: str, image: str) -> dict[str, object]:
    return {"spec": {"template": template(app, image)}}


def sizes(cluster: Cluster) -> dict[str, int]:
    """image → replicas of the ReplicaSet that has it."""
    return {
        rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs["spec"]["replicas"]
        for rs in cluster.all("replicasets.apps")
    }


async def test_a_deployment_becomes_available_and_says_so_as_the_real_one() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment())
        await cluster.settle(1)
        found = cluster.one("deployments.apps", "web")
        (rs,) = cluster.all("replicasets.apps")
        name = rs["metadata"]["name"]
        assert {key: value for key, value in found["status"].items() if key != "conditions"} == {
            "observedGeneration": 1,
            "replicas": 2,
            "updatedReplicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "terminatingReplicas": 0,
        }
        assert verdicts(found) == [
            ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            ("Progressing", "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'),
        ]
        assert found["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "1"}
        assert rs["metadata"]["annotations"] == {
            "deployment.kubernetes.io/revision": "1",
            "deployment.kubernetes.io/desired-replicas": "2",
            "deployment.kubernetes.io/max-replicas": "3",
        }
        assert rs["metadata"]["labels"]["pod-template-hash"] == name.removeprefix("web-")
        assert ("Deployment", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to 2") in cluster.told()


async def test_an_empty_deployment_costs_four_writes_and_then_none() -> None:
    async with running() as cluster:
        before = len(cluster.api.writes)
        await cluster.make("deployments.apps", deployment(replicas=0))
        await cluster.settle(1)
        assert [(verb, resource) for verb, resource, _ in cluster.api.writes[before:]] == [
            ("create", "deployments.apps"),
            ("create", "replicasets.apps"),
            ("status", "deployments.apps"),
            ("status", "replicasets.apps"),
        ]
        before = len(cluster.api.writes)
        await cluster.settle(1800)
        assert cluster.api.writes[before:] == []


async def test_a_rolling_update_never_has_fewer_available_pods_than_it_promises() -> None:
    async with running() as cluster:
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        await cluster.make("deployments.apps", deployment(replicas=3, strategy=rolling))
        await cluster.settle(1)
        await cluster.change("deployments.apps", "shop", "web", roll("web", "app:2"))
        least, most = 3, 0
        for _ in range(60):
            await cluster.settle(0.02)
            alive = [one for one in cluster.all("pods") if "deletionTimestamp" not in one["metadata"]]
            ready = [one for one in alive if one.get("status", {}).get("phase") == "Running"]
            least, most = min(least, len(ready)), max(most, len(alive))
        assert (least, most, sizes(cluster)) == (3, 4, {"app:1": 0, "app:2": 3})


async def test_undoing_a_rollout_gives_the_old_replica_set_the_highest_revision() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment())
        for image in ("app:2", "app:1"):
            await cluster.settle(2)
            await cluster.change("deployments.apps", "shop", "web", roll("web", image))
        await cluster.settle(2)
        revisions = {
            rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs["metadata"]["annotations"]
            for rs in cluster.all("replicasets.apps")
        }
        assert revisions["app:1"]["deployment.kubernetes.io/revision"] == "3"
        assert revisions["app:1"]["deployment.kubernetes.io/revision-history"] == "1"
        assert revisions["app:2"]["deployment.kubernetes.io/revision"] == "2"
        assert sizes(cluster) == {"app:1": 2, "app:2": 0}


async def test_recreate_stops_every_old_pod_before_it_starts_a_new_one() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment(strategy={"type": "Recreate"}))
        await cluster.settle(1)
        await cluster.change("deployments.apps", "shop", "web", roll("web", "app:2"))
        together = False
        for _ in range(40):
            await cluster.settle(0.02)
            images = {one["spec"]["containers"][0]["image"] for one in cluster.all("pods")}
            together = together or len(images) > 1
        assert not together
        assert sizes(cluster) == {"app:1": 0, "app:2": 2}


async def test_recreate_goes_on_once_old_pods_that_nobody_runs_have_failed() -> None:
    """They are held by a finalizer, and have no node: podgc ends them, whose looks are 20 seconds apart."""
    async with running(nodes=0) as cluster:
        held = template("web")
        held["metadata"]["finalizers"] = ["example.com/held"]
        await cluster.make("deployments.apps", deployment(strategy={"type": "Recreate"}, template=held))
        await cluster.settle(1)
        change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "app:2"}]}}}}
        await cluster.change("deployments.apps", "shop", "web", change)
        seen = []
        for seconds in (15, 10):
            await cluster.settle(seconds)
            pods = cluster.all("pods")
            seen.append(sorted((one["spec"]["containers"][0]["image"], one["status"]["phase"]) for one in pods))
        assert seen == [
            [("app:1", "Pending")] * 2,
            [("app:1", "Failed")] * 2 + [("app:2", "Pending")] * 2,
        ]


async def test_a_rollout_that_does_not_move_is_reported_when_its_deadline_has_passed() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment(progressDeadlineSeconds=30))
        await cluster.settle(1)
        await cluster.change("deployments.apps", "shop", "web", roll("web", "app:missing"))
        await cluster.settle(60)
        kinds = {kind: (status, reason) for kind, status, reason, _ in verdicts(cluster.one("deployments.apps", "web"))}
        assert kinds == {
            "Available": ("True", "MinimumReplicasAvailable"),
            "Progressing": ("False", "ProgressDeadlineExceeded"),
        }


async def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment())
        await cluster.settle(1)
        await cluster.change("deployments.apps", "shop", "web", {"spec": {"paused": True}})
        await cluster.change(
            "deployments.apps", "shop", "web", {"spec": {"replicas": 3, "template": template("web", "app:2")}}
        )
        await cluster.settle(2)
        found = cluster.one("deployments.apps", "web")
        assert sizes(cluster) == {"app:1": 3}
        assert ("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused") in verdicts(found)
        await cluster.change("deployments.apps", "shop", "web", {"spec": {"paused": None}})
        await cluster.settle(2)
        assert sizes(cluster) == {"app:1": 0, "app:2": 3}


async def test_old_replica_sets_beyond_the_history_limit_are_deleted() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment(revisionHistoryLimit=1))
        for number in (2, 3, 4):
            await cluster.settle(2)
            await cluster.change("deployments.apps", "shop", "web", roll("web", f"app:{number}"))
        await cluster.settle(2)
        assert sizes(cluster) == {"app:3": 0, "app:4": 2}


async def test_a_replica_set_adopts_orphans_and_replaces_what_is_taken_away() -> None:
    async with running() as cluster:
        orphan = pod("lonely")
        orphan["metadata"]["labels"] = {"app": "set"}
        await cluster.make("pods", orphan)
        await cluster.make("replicasets.apps", workload("ReplicaSet", "set", replicas=2))
        await cluster.settle(1)
        assert len(cluster.all("pods")) == 2
        assert cluster.one("pods", "lonely")["metadata"]["ownerReferences"][0]["name"] == "set"
        await cluster.api.delete("pods", "shop", "lonely")
        await cluster.settle(1)
        names = [one["metadata"]["name"] for one in cluster.all("pods")]
        assert len(names) == 2
        assert "lonely" not in names


async def test_a_stateful_set_starts_in_order_and_each_member_keeps_its_claim() -> None:
    async with running() as cluster:
        claims = [
            {
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ]
        body = workload("StatefulSet", "db", replicas=3, serviceName="db", volumeClaimTemplates=claims)
        await cluster.make("statefulsets.apps", body)
        order: list[str] = []
        for _ in range(100):
            await cluster.settle(0.02)
            order += [one["metadata"]["name"] for one in cluster.all("pods") if one["metadata"]["name"] not in order]
            alive = [one.get("status", {}).get("phase") for one in cluster.all("pods")]
            assert alive[:-1] == ["Running"] * (len(alive) - 1)
        assert order == ["db-0", "db-1", "db-2"]
        assert [one["metadata"]["name"] for one in cluster.all("persistentvolumeclaims")] == [
            "data-db-0",
            "data-db-1",
            "data-db-2",
        ]
        assert [one["status"]["phase"] for one in cluster.all("persistentvolumeclaims")] == ["Bound"] * 3
        status = cluster.one("statefulsets.apps", "db")["status"]
        assert status["currentRevision"] == status["updateRevision"]
        assert (status["readyReplicas"], status["availableReplicas"], status["collisionCount"]) == (3, 3, 0)
        assert ("StatefulSet", "SuccessfulCreate", "Create Pod db-0 in StatefulSet db successful") in cluster.told()


async def test_a_partition_keeps_the_members_below_it_on_the_old_revision() -> None:
    async with running() as cluster:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
        await cluster.make("statefulsets.apps", workload("StatefulSet", "db", replicas=3, updateStrategy=strategy))
        await cluster.settle(2)
        await cluster.change("statefulsets.apps", "shop", "db", roll("db", "app:2"))
        await cluster.settle(2)
        images = [one["spec"]["containers"][0]["image"] for one in cluster.all("pods")]
        status = cluster.one("statefulsets.apps", "db")["status"]
        assert images == ["app:1", "app:1", "app:2"]
        assert (status["currentReplicas"], status["updatedReplicas"]) == (2, 1)
        await cluster.api.delete("pods", "shop", "db-0")
        await cluster.settle(2)
        assert cluster.one("pods", "db-0")["spec"]["containers"][0]["image"] == "app:1"


async def test_undoing_a_stateful_set_reuses_the_revision_with_a_higher_number() -> None:
    async with running() as cluster:
        await cluster.make("statefulsets.apps", workload("StatefulSet", "db", replicas=1))
        for image in ("app:2", "app:1"):
            await cluster.settle(2)
            await cluster.change("statefulsets.apps", "shop", "db", roll("db", image))
        await cluster.settle(2)
        assert sorted(one["revision"] for one in cluster.all("controllerrevisions.apps")) == [2, 3]


async def test_a_stateful_set_gives_up_its_last_member_first() -> None:
    async with running() as cluster:
        await cluster.make("statefulsets.apps", workload("StatefulSet", "db", replicas=3))
        await cluster.settle(2)
        await cluster.change("statefulsets.apps", "shop", "db", {"spec": {"replicas": 1}})
        await cluster.settle(2)
        gone = [name for verb, resource, name in cluster.api.writes if verb == "delete" and resource == "pods"]
        assert list(dict.fromkeys(gone)) == ["db-2", "db-1"]


async def test_a_daemon_set_has_one_pod_on_each_node_that_it_tolerates() -> None:
    async with running(nodes=3) as cluster:
        await cluster.change(
            "nodes", "", "node-1", {"spec": {"taints": [{"key": "reserved", "value": "yes", "effect": "NoSchedule"}]}}
        )
        await cluster.make("daemonsets.apps", workload("DaemonSet", "agent"))
        await cluster.settle(2)
        assert sorted(one["spec"]["nodeName"] for one in cluster.all("pods")) == ["node-0", "node-2"]
        assert cluster.one("daemonsets.apps", "agent")["status"] == {
            "currentNumberScheduled": 2,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 2,
            "numberReady": 2,
            "observedGeneration": 1,
            "updatedNumberScheduled": 2,
            "numberAvailable": 2,
        }
        await cluster.change("nodes", "", "node-1", {"spec": {"taints": None}})
        await cluster.settle(2)
        assert len(cluster.all("pods")) == 3


async def test_a_daemon_set_is_renewed_one_node_at_a_time() -> None:
    async with running(nodes=3) as cluster:
        await cluster.make("daemonsets.apps", workload("DaemonSet", "agent"))
        await cluster.settle(2)
        await cluster.change("daemonsets.apps", "shop", "agent", roll("agent", "app:2"))
        least = 3
        for _ in range(50):
            await cluster.settle(0.02)
            least = min(least, cluster.one("daemonsets.apps", "agent")["status"]["numberReady"])
        assert least == 2
        assert {one["spec"]["containers"][0]["image"] for one in cluster.all("pods")} == {"app:2"}
