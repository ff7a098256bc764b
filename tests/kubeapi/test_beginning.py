"""What a cluster has before anybody has written to it, and what follows from a Service or an owner without being asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import Client, running

pytestmark = pytest.mark.anyio
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
SERVICES = "/api/v1/namespaces/default/services"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    settings = Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)
    async with running(settings) as found:
        yield found


async def until(client: Client, path: str, right: Callable[[int, Any], bool]) -> Any:
    """What is at a path, as soon as it is right."""
    async with asyncio.timeout(30):
        while True:
            status, body = await client.ask("GET", path)
            if right(status, body):
                return body
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", 69),
        ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", 50),
        ("/apis/rbac.authorization.k8s.io/v1/roles", 7),
        ("/apis/rbac.authorization.k8s.io/v1/rolebindings", 7),
        ("/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations", 8),
    ],
)
async def test_roles_and_levels_are_there(client: Client, path: str, least: int) -> None:
    found = await until(client, path, lambda status, body: status == 200 and len(body["items"]) >= least)
    assert all("rules" in one or "roleRef" in one or "spec" in one for one in found["items"])


async def test_flow_schemas_say_that_their_levels_are_there(client: Client) -> None:
    path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"

    def complete(status: int, body: Any) -> bool:
        told = [one for one in body["items"] if one.get("status", {}).get("conditions")]
        return status == 200 and len(told) >= 11

    found = await until(client, path, complete)
    assert {one["status"]["conditions"][0]["status"] for one in found["items"]} == {"False"}


async def test_an_address_comes_and_goes_with_its_service(client: Client) -> None:
    wanted = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    _, made = await client.ask("POST", SERVICES, wanted)
    address = made["spec"]["clusterIP"]
    found = await until(client, f"{ADDRESSES}/{address}", lambda status, body: status == 200)
    assert found["spec"] == {"parentRef": {"resource": "services", "namespace": "default", "name": "s"}}
    assert found["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    await client.ask("DELETE", f"{SERVICES}/s")
    await until(client, f"{ADDRESSES}/{address}", lambda status, body: status == 404)


async def test_of_equal_owners_one_is_kept(client: Client) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "11111111-1111-1111-1111-111111111111"}
    meta = {"name": "owned", "ownerReferences": [owner, owner]}
    _, made = await client.ask("POST", CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    assert made["metadata"]["ownerReferences"] == [owner]
