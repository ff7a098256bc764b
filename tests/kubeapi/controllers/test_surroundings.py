"""What surrounds workloads: namespaces, services, volumes, budgets, quotas, autoscalers, roles, events."""

from typing import Any

import pytest

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.bootstrap import bootstrap
from kubeapi.controllers.simulated import Cluster, deployment, pod, running, workload

pytestmark = pytest.mark.anyio
_SLICES = "endpointslices.discovery.k8s.io"


def named(kind: str, name: str, version: str = "v1", namespace: str = "shop", **fields: Any) -> Object:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **fields}


def labelled(name: str, **spec: Any) -> Object:
    body = pod(name, **spec)
    body["metadata"]["labels"] = {"app": "web"}
    return body


async def test_a_namespace_has_its_account_and_its_authority_and_gets_them_back() -> None:
    async with running() as cluster:
        assert cluster.one("configmaps", "kube-root-ca.crt")["data"] == {"ca.crt": "PEM"}
        await cluster.api.delete("serviceaccounts", "shop", "default")
        await cluster.change("configmaps", "shop", "kube-root-ca.crt", {"data": {"ca.crt": "forged"}})
        await cluster.settle(0.1)
        assert cluster.one("serviceaccounts", "default")
        assert cluster.one("configmaps", "kube-root-ca.crt")["data"] == {"ca.crt": "PEM"}


async def test_the_nodes_are_there_with_leases_and_send_no_heartbeats() -> None:
    async with running(nodes=3) as cluster:
        assert [one["metadata"]["name"] for one in cluster.all("nodes")] == ["node-0", "node-1", "node-2"]
        assert [one["metadata"]["name"] for one in cluster.all("leases.coordination.k8s.io")] == [
            "node-0",
            "node-1",
            "node-2",
        ]
        assert cluster.all("nodes")[0]["status"]["allocatable"] == {
            "cpu": "8",
            "memory": "16Gi",
            "pods": "110",
        }
        before = len(cluster.api.writes)
        await cluster.settle(600)
        assert cluster.api.writes[before:] == []


async def test_a_service_knows_which_of_its_pods_are_ready() -> None:
    async with running() as cluster:
        ports = [{"name": "http", "port": 80, "targetPort": "web"}]
        await cluster.make("services", named("Service", "web", spec={"selector": {"app": "web"}, "ports": ports}))
        containers = [{"name": "c", "image": "a:1", "ports": [{"name": "web", "containerPort": 8080}]}]
        await cluster.make("pods", labelled("good", containers=containers))
        slow = labelled("slow", containers=containers)
        slow["metadata"]["annotations"] = {"sim.kilde.dev/pod": "ready=1h"}
        await cluster.make("pods", slow)
        await cluster.settle(1)
        (found,) = cluster.all(_SLICES)
        assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
        assert [(e["targetRef"]["name"], e["conditions"]) for e in found["endpoints"]] == [
            ("good", {"ready": True, "serving": True, "terminating": False}),
            ("slow", {"ready": False, "serving": False, "terminating": False}),
        ]
        (subset,) = cluster.one("endpoints", "web")["subsets"]
        assert [one["targetRef"]["name"] for one in subset["addresses"]] == ["good"]
        assert [one["targetRef"]["name"] for one in subset["notReadyAddresses"]] == ["slow"]
        await cluster.api.delete("services", "shop", "web")
        await cluster.settle(0.1)
        assert (cluster.all("endpoints"), cluster.all(_SLICES)) == ([], [])


async def test_pods_without_the_named_port_are_told_by_slices_alone_and_only_a_subdomain_names_them() -> None:
    async with running() as cluster:
        ports = [{"port": 80, "targetPort": "web", "protocol": "UDP"}]
        for name, listening in (("web", [{"port": 80, "protocol": "TCP"}]), ("udp", ports)):
            await cluster.make(
                "services", named("Service", name, spec={"selector": {"app": "web"}, "ports": listening})
            )
        containers = [{"name": "c", "image": "a:1", "ports": [{"name": "web", "containerPort": 8080}]}]
        await cluster.make("pods", labelled("a", containers=containers, hostname="first", subdomain="web"))
        await cluster.make("pods", labelled("b", containers=containers, hostname="other", subdomain="mail"))
        await cluster.settle(1)
        assert not cluster.one("endpoints", "udp").get("subsets")
        of = {one["metadata"]["labels"]["kubernetes.io/service-name"]: one for one in cluster.all(_SLICES)}
        assert [one["targetRef"]["name"] for one in of["udp"]["endpoints"]] == ["a", "b"]
        (subset,) = cluster.one("endpoints", "web")["subsets"]
        for told in (subset["addresses"], of["web"]["endpoints"]):
            assert {one["targetRef"]["name"]: one.get("hostname") for one in told} == {"a": "first", "b": None}


async def test_endpoints_tell_ports_with_the_pods_that_have_them_in_upstream_s_order() -> None:
    async with running() as cluster:
        ports = [
            {"name": "http", "port": 80, "targetPort": "web", "appProtocol": "http"},
            {"name": "https", "port": 443},
            {"name": "metrics", "port": 9090},
            {"name": "dns", "port": 53, "protocol": "UDP"},
            {"name": "z", "port": 53},
        ]
        await cluster.make("services", named("Service", "web", spec={"selector": {"app": "web"}, "ports": ports}))
        await cluster.make("services", named("Service", "bare", spec={"clusterIP": "None", "selector": {"app": "web"}}))
        for name, own in (("a", [{"name": "web", "containerPort": 8080}]), ("b", [])):
            await cluster.make("pods", labelled(name, containers=[{"name": "c", "image": "a:1", "ports": own}]))
        await cluster.settle(1)
        found = cluster.one("endpoints", "web")["subsets"]
        told = {
            tuple(one.get("name") for one in subset["ports"]): {one["targetRef"]["name"] for one in subset["addresses"]}
            for subset in found
        }
        assert told == {("http",): {"a"}, ("https", "metrics", "dns", "z"): {"a", "b"}}
        assert {"name": "http", "port": 8080, "protocol": "TCP", "appProtocol": "http"} in [
            s["ports"][0] for s in found
        ]
        (subset,) = cluster.one("endpoints", "bare")["subsets"]
        assert subset.keys() == {"addresses"}


async def test_a_flow_schema_says_whether_its_level_is_there() -> None:
    async with running() as cluster:
        version, schemas = "flowcontrol.apiserver.k8s.io/v1", "flowschemas.flowcontrol.apiserver.k8s.io"
        level = named("PriorityLevelConfiguration", "calm", version, "", spec={"type": "Exempt"})
        schema = named("FlowSchema", "mine", version, "", spec={"priorityLevelConfiguration": {"name": "calm"}})
        await cluster.make(schemas, schema)
        await cluster.settle(5)
        about = 'This FlowSchema references the PriorityLevelConfiguration object named "calm"'
        missing = {
            "type": "Dangling",
            "status": "True",
            "reason": "NotFound",
            "message": f"{about} but there is no such object",
        }
        (told,) = cluster.one(schemas, "mine", "")["status"]["conditions"]
        assert {key: told[key] for key in missing} == missing
        await cluster.make("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", level)
        await cluster.settle(5)
        found = {"type": "Dangling", "status": "False", "reason": "Found", "message": f"{about} and it exists"}
        (now,) = cluster.one(schemas, "mine", "")["status"]["conditions"]
        assert {key: now[key] for key in found} == found
        assert now["lastTransitionTime"] > told["lastTransitionTime"]


async def test_a_load_balancer_and_an_ingress_get_addresses_unless_they_are_to_wait() -> None:
    async with running() as cluster:
        await cluster.make("services", named("Service", "lb", spec={"type": "LoadBalancer", "ports": [{"port": 80}]}))
        held = named("Service", "held", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
        held["metadata"]["annotations"] = {"sim.kilde.dev/address": "pending"}
        await cluster.make("services", held)
        await cluster.make("ingresses.networking.k8s.io", named("Ingress", "web", "networking.k8s.io/v1", spec={}))
        await cluster.settle(0.15)
        assert "status" not in cluster.one("services", "lb")
        await cluster.settle(0.1)
        assert cluster.one("services", "lb")["status"]["loadBalancer"]["ingress"][0]["ip"].startswith("203.0.113.")
        assert cluster.one("ingresses.networking.k8s.io", "web")["status"]["loadBalancer"]["ingress"]
        assert "status" not in cluster.one("services", "held")


def claim(name: str, **spec: Any) -> Object:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return named("PersistentVolumeClaim", name, spec={**body, **spec})


def volume(name: str, size: str, **spec: Any) -> Object:
    body = {"accessModes": ["ReadWriteOnce", "ReadOnlyMany"], "capacity": {"storage": size}, "storageClassName": "fast"}
    return named("PersistentVolume", name, namespace="", spec={**body, **spec})


async def test_a_claim_takes_the_smallest_volume_that_fits() -> None:
    async with running() as cluster:
        for name, size in (("large", "10Gi"), ("small", "512Mi"), ("fitting", "1Gi")):
            await cluster.make("persistentvolumes", volume(name, size))
        await cluster.make("persistentvolumeclaims", claim("data", storageClassName="fast"))
        await cluster.settle(0.1)
        found = cluster.one("persistentvolumeclaims", "data")
        assert (found["spec"]["volumeName"], found["status"]["phase"]) == ("fitting", "Bound")
        assert found["status"]["capacity"] == {"storage": "1Gi"}
        phases = {one["metadata"]["name"]: one["status"]["phase"] for one in cluster.all("persistentvolumes")}
        assert phases == {"large": "Available", "small": "Available", "fitting": "Bound"}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"storageClassName": "none"}, "ProvisioningFailed"),
        ({"storageClassName": ""}, "FailedBinding"),
        ({"storageClassName": "later"}, "WaitForFirstConsumer"),
    ],
)
async def test_a_claim_that_nothing_can_serve_stays_pending_and_says_so_once(spec: dict[str, str], reason: str) -> None:
    async with running() as cluster:
        later = named(
            "StorageClass", "later", "storage.k8s.io/v1", "", provisioner="x", volumeBindingMode="WaitForFirstConsumer"
        )
        await cluster.make("storageclasses.storage.k8s.io", later)
        await cluster.make("persistentvolumeclaims", claim("data", **spec))
        await cluster.settle(2)
        assert cluster.one("persistentvolumeclaims", "data")["status"]["phase"] == "Pending"
        assert [one for kind, one, _ in cluster.told() if kind == "PersistentVolumeClaim"] == [reason]


async def test_a_claim_in_use_stays_until_its_pod_is_gone_and_its_volume_goes_with_it() -> None:
    async with running() as cluster:
        await cluster.make("persistentvolumeclaims", claim("data"))
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
        await cluster.make("pods", pod("p", volumes=volumes))
        await cluster.settle(1)
        assert cluster.one("pods", "p")["status"]["phase"] == "Running"
        await cluster.api.delete("persistentvolumeclaims", "shop", "data")
        await cluster.settle(1)
        assert len(cluster.all("persistentvolumeclaims")) == 1
        await cluster.api.delete("pods", "shop", "p")
        await cluster.settle(1)
        assert (cluster.all("persistentvolumeclaims"), cluster.all("persistentvolumes")) == ([], [])


async def test_a_budget_allows_what_its_healthy_pods_can_spare() -> None:
    async with running() as cluster:
        spec = {"minAvailable": "50%", "selector": {"matchLabels": {"app": "web"}}}
        await cluster.make("poddisruptionbudgets.policy", named("PodDisruptionBudget", "pdb", "policy/v1", spec=spec))
        await cluster.settle(0.1)
        assert ("PodDisruptionBudget", "NoPods", "No matching pods found") in cluster.told()
        await cluster.make("deployments.apps", deployment(replicas=3))
        await cluster.settle(1)
        status = cluster.one("poddisruptionbudgets.policy", "pdb")["status"]
        numbers = {
            key: status[key] for key in ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
        }
        assert numbers == {"expectedPods": 3, "desiredHealthy": 2, "currentHealthy": 3, "disruptionsAllowed": 1}
        assert status["conditions"][0]["reason"] == "SufficientPods"


async def test_a_quota_counts_what_is_there() -> None:
    async with running() as cluster:
        hard = {"pods": "4", "requests.cpu": "2", "limits.memory": "1Gi", "configmaps": "10", "services.nodeports": "3"}
        await cluster.make("resourcequotas", named("ResourceQuota", "q", spec={"hard": hard}))
        resources = {"requests": {"cpu": "250m"}, "limits": {"memory": "128Mi"}}
        for name in ("a", "b"):
            await cluster.make("pods", pod(name, containers=[{"name": "c", "image": "a:1", "resources": resources}]))
        await cluster.make(
            "services", named("Service", "s", spec={"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]})
        )
        await cluster.settle(1)
        assert cluster.one("resourcequotas", "q")["status"] == {
            "hard": hard,
            "used": {
                "pods": "2",
                "requests.cpu": "500m",
                "limits.memory": "256Mi",
                "configmaps": "1",
                "services.nodeports": "2",
            },
        }


async def test_an_autoscaler_keeps_its_target_within_its_bounds() -> None:
    async with running() as cluster:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        body = named(
            "HorizontalPodAutoscaler",
            "h",
            "autoscaling/v2",
            spec={"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 5},
        )
        await cluster.make("horizontalpodautoscalers.autoscaling", body)
        await cluster.settle(15.1)
        (only,) = cluster.one("horizontalpodautoscalers.autoscaling", "h")["status"]["conditions"]
        assert (only["type"], only["status"], only["reason"]) == ("AbleToScale", "False", "FailedGetScale")
        await cluster.make("deployments.apps", deployment(replicas=1))
        await cluster.settle(1)
        assert cluster.one("deployments.apps", "web")["spec"]["replicas"] == 3
        status = cluster.one("horizontalpodautoscalers.autoscaling", "h")["status"]
        assert (status["currentReplicas"], status["desiredReplicas"]) == (3, 3)
        assert {c["type"]: c["status"] for c in status["conditions"]} == {
            "AbleToScale": "True",
            "ScalingActive": "True",
            "ScalingLimited": "False",
        }


async def test_an_aggregated_role_has_the_rules_of_the_roles_that_it_selects() -> None:
    async with running() as cluster:
        roles = "clusterroles.rbac.authorization.k8s.io"
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
        selector = {"matchLabels": {"team": "a"}}
        version = "rbac.authorization.k8s.io/v1"
        aggregated = named(
            "ClusterRole", "all", version, "", aggregationRule={"clusterRoleSelectors": [selector]}, rules=None
        )
        await cluster.make(roles, aggregated)
        await cluster.make(roles, named("ClusterRole", "part", version, "", rules=rules))
        await cluster.settle(0.1)
        assert cluster.one(roles, "all", "")["rules"] is None
        await cluster.change(roles, "", "part", {"metadata": {"labels": {"team": "a"}}})
        await cluster.settle(0.1)
        assert cluster.one(roles, "all", "")["rules"] == rules


async def test_events_that_differ_in_their_text_alone_are_combined_from_the_tenth_on() -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment(replicas=14))
        await cluster.settle(5)
        made = [event for event in cluster.all("events") if event["reason"] == "SuccessfulCreate"]
        alone = [event for event in made if event["message"].startswith("Created pod: web-")]
        (together,) = [event for event in made if event not in alone]
        assert together["message"].startswith("(combined from similar events): Created pod: web-")
        assert together["reportingComponent"] == ""
        assert (len(alone), together["count"], {event["count"] for event in alone}) == (9, 5, {1})


async def test_of_a_source_25_events_about_an_object_are_told_and_one_more_each_five_minutes() -> None:
    async with running() as cluster:
        await cluster.make("replicasets.apps", workload("ReplicaSet", "web", replicas=40))
        await cluster.settle(5)
        assert counts(cluster) == [1] * 9 + [16]
        for replicas, told in ((41, 16), (42, 33)):
            await cluster.settle(151)
            await cluster.change("replicasets.apps", "shop", "web", {"spec": {"replicas": replicas}})
            await cluster.settle(0.1)
            assert counts(cluster) == [1] * 9 + [told]


def counts(cluster: Cluster) -> list[int]:
    """How often each Event says that a pod was made."""
    return sorted(event["count"] for event in cluster.all("events") if event["reason"] == "SuccessfulCreate")


@pytest.mark.parametrize(
    ("version", "many", "without"),
    [
        ("", 0, []),
        ("v1.33.0", 32, ["device-taint-eviction", "resource-claim", "volumeattributesclass-protection"]),
        ("v1.34.0", 34, ["device-taint-eviction"]),
        ("v1.36.3", 35, []),
    ],
)
async def test_controllers_have_the_accounts_of_their_version(version: str, many: int, without: list[str]) -> None:
    async with running() as cluster:
        await bootstrap(cluster.api, "PEM", controlled=version)
        names = {one["metadata"]["name"] for one in cluster.all("serviceaccounts")} - {"default"}
        assert len(names) == many
        assert not names & {f"{name}-controller" for name in without}


async def test_events_are_forgotten_after_an_hour() -> None:
    async with running() as cluster:
        await cluster.make("pods", pod("p"))
        await cluster.settle(1)
        assert cluster.all("events")
        await cluster.settle(3601)
        assert cluster.all("events") == []


async def test_the_default_roles_are_made_once_and_view_is_filled_by_aggregation() -> None:
    async with running() as cluster:
        await bootstrap(cluster.api, "PEM")
        await cluster.settle(0.5)
        roles = "clusterroles.rbac.authorization.k8s.io"
        view, edit = cluster.one(roles, "view", ""), cluster.one(roles, "edit", "")
        assert view["rules"] == cluster.one(roles, "system:aggregate-to-view", "")["rules"]
        assert all(rule in edit["rules"] for rule in view["rules"])
        assert cluster.one(roles, "cluster-admin", "")["rules"] == [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
            {"nonResourceURLs": ["*"], "verbs": ["*"]},
        ]
        found = cluster.one("configmaps", "extension-apiserver-authentication", "kube-system")
        assert found["data"] == {"client-ca-file": "PEM"}
        before = len(cluster.api.writes)
        await bootstrap(cluster.api, "PEM")
        await cluster.settle(1)
        assert cluster.api.writes[before:] == []
