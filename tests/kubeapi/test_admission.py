"""Admission: what a cluster adds to objects, and what it refuses although they are valid."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kilde.kubeapi.logic.pod_security import violations
from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import CONFIG_MAPS, MERGE, Client, config_map, running

PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    settings = Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)
    async with running(settings) as found:
        await found.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
        yield found


def pod(name: str = "p", **resources: dict[str, str]) -> dict[str, Any]:
    container = {"name": "c", "image": "nginx", "resources": resources}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": 80}], **spec},
    }


@pytest.mark.anyio
async def test_a_pod_gets_its_account_its_token_and_a_priority(client: Client) -> None:
    status, made = await client.ask("POST", PODS, pod())
    assert status == 201
    spec = made["spec"]
    assert (spec["serviceAccountName"], spec["priority"]) == ("default", 0)
    mount = spec["containers"][0]["volumeMounts"][0]
    assert mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert mount["name"] == spec["volumes"][0]["name"]
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


@pytest.mark.anyio
async def test_a_pod_of_an_account_that_is_not_there_is_refused(client: Client) -> None:
    body = pod()
    body["spec"]["serviceAccountName"] = "nobody"
    status, refused = await client.ask("POST", PODS, body)
    assert (status, refused["message"].rpartition(": ")[2]) == (403, 'serviceaccount "nobody" not found')


@pytest.mark.anyio
async def test_a_service_keeps_its_address_and_another_cannot_take_it(client: Client) -> None:
    _, made = await client.ask("POST", SERVICES, service("a", type="NodePort"))
    address, port = made["spec"]["clusterIP"], made["spec"]["ports"][0]["nodePort"]
    assert address.startswith("10.0.")
    assert 30000 <= port <= 32767
    _, put = await client.ask("PUT", f"{SERVICES}/a", service("a", type="NodePort", sessionAffinity="ClientIP"))
    assert (put["spec"]["clusterIP"], put["spec"]["ports"][0]["nodePort"]) == (address, port)
    status, refused = await client.ask("POST", SERVICES, service("b", clusterIP=address))
    assert (status, refused["details"]["causes"][0]["field"]) == (422, "spec.clusterIPs")
    await client.ask("DELETE", f"{SERVICES}/a")
    assert (await client.ask("POST", SERVICES, service("b", clusterIP=address)))[0] == 201


@pytest.mark.anyio
async def test_a_service_that_loses_its_type_loses_what_came_with_it(client: Client) -> None:
    await client.ask("POST", SERVICES, service("a", type="NodePort"))
    _, made = await client.ask("PATCH", f"{SERVICES}/a", {"spec": {"type": "ClusterIP"}}, content_type=MERGE)
    assert "nodePort" not in made["spec"]["ports"][0]
    _, made = await client.ask(
        "PATCH", f"{SERVICES}/a", {"spec": {"type": "ExternalName", "externalName": "example.com"}}, content_type=MERGE
    )
    assert "clusterIP" not in made["spec"]


@pytest.mark.anyio
async def test_a_quota_is_charged_and_then_refuses(client: Client) -> None:
    quotas = "/api/v1/namespaces/default/resourcequotas"
    hard = {"configmaps": "2", "requests.memory": "1Gi"}
    await client.ask("POST", quotas, {"metadata": {"name": "q"}, "spec": {"hard": hard}})
    used = {"configmaps": "0", "requests.memory": "0"}
    body = {"status": {"hard": hard, "used": used}}
    await client.ask("PATCH", f"{quotas}/q/status", body, content_type=MERGE)
    assert (await client.ask("POST", CONFIG_MAPS, config_map("a")))[0] == 201
    assert (await client.ask("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("b")))[0] == 201
    assert (await client.ask("POST", PODS, pod("m", requests={"memory": "512Mi"})))[0] == 201
    _, quota = await client.ask("GET", f"{quotas}/q")
    assert quota["status"]["used"] == {"configmaps": "1", "requests.memory": "512Mi"}
    status, refused = await client.ask("POST", PODS, pod("n", requests={"memory": "600Mi"}))
    assert status == 403
    words = (
        "exceeded quota: q, requested: requests.memory=600Mi, used: requests.memory=512Mi, limited: requests.memory=1Gi"
    )
    assert refused["message"] == f'pods "n" is forbidden: {words}'
    status, refused = await client.ask("POST", PODS, pod("o"))
    assert refused["message"] == 'pods "o" is forbidden: failed quota: q: must specify requests.memory for: c'


@pytest.mark.anyio
async def test_a_limit_range_fills_in_and_bounds(client: Client) -> None:
    limit = {"type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m"}, "max": {"cpu": "1"}}
    await client.ask(
        "POST", "/api/v1/namespaces/default/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [limit]}}
    )
    _, made = await client.ask("POST", PODS, pod())
    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}, "requests": {"cpu": "100m"}}
    status, refused = await client.ask("POST", PODS, pod("q", limits={"cpu": "2"}))
    assert (status, refused["message"]) == (
        403,
        'pods "q" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    )


@pytest.mark.anyio
async def test_what_a_namespace_enforces_is_refused_for_pods_and_warned_of_nowhere_else(client: Client) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    await client.ask("PATCH", "/api/v1/namespaces/default", {"metadata": {"labels": labels}}, content_type=MERGE)
    body = pod()
    body["spec"]["hostNetwork"] = True
    status, refused = await client.ask("POST", PODS, body)
    assert status == 403
    assert 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)' in refused["message"]


SAFE: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {"name": "c", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    ],
}


@pytest.mark.parametrize(
    ("change", "baseline", "restricted"),
    [
        ({}, [], []),
        ({"hostPID": True}, ["host namespaces (hostPID=true)"], ["host namespaces (hostPID=true)"]),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
            ['hostPath volumes (volume "v")'],
            ['restricted volume types (volume "v" uses restricted volume type "hostPath")'],
        ),
        (
            {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "Unconfined"}}},
            ['seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'],
            ['seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'],
        ),
        (
            {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
            [],
            ['runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)'],
        ),
    ],
)
def test_a_pod_violates(change: dict[str, Any], baseline: list[str], restricted: list[str]) -> None:
    spec = {**SAFE, **change}
    assert violations("privileged", "latest", spec, {}) == []
    assert violations("baseline", "latest", spec, {}) == baseline
    assert violations("restricted", "latest", spec, {}) == restricted
