"""CertificateSigningRequests over HTTPS: approved, signed by the cluster's CA, used to come in, and deleted when they are old."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from certificate_requests import (
    CLIENT,
    KUBELET_CLIENT,
    NODE,
    NODES,
    REQUESTS,
    approval,
    asking,
    client_pem,
    der,
    encoded,
)
from kilde.kubeapi.main import serve
from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import Client

pytestmark = pytest.mark.anyio
USAGES = ("client auth", "digital signature", "key encipherment")
NODE_ROLE = "system:certificates.k8s.io:certificatesigningrequests:nodeclient"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A cluster with its controllers and a clock that is moved by hand, and its administrator."""
    settings = Settings(data_dir=tmp_path / "data", controllers=Controllers.ON, in_memory=True, speed=0)
    async with serve(settings) as url:
        token = yaml.safe_load((tmp_path / "data" / "kubeconfig").read_text())["users"][0]["user"]["token"]
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=tmp_path / "data" / "pki" / "ca.crt"))
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
            yield Client(session, url)


async def awaited(client: Client, name: str, wanted: Callable[[Any], bool]) -> Any:
    for _ in range(200):
        _, found = await client.ask("GET", f"{REQUESTS}/{name}")
        if wanted(found.get("status") or {}):
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(found)


def is_issued(status: Any) -> bool:
    return bool(status.get("certificate"))


async def test_who_was_given_a_certificate_is_who_it_says(client: Client, tmp_path: Path) -> None:
    body = asking("anna", encoded(der("anna", ("ops",))), CLIENT, USAGES, expirationSeconds=3600)
    assert (await client.ask("POST", REQUESTS, body))[0] == 201
    assert (await client.ask("PUT", f"{REQUESTS}/anna/approval", approval(body)))[0] == 200
    found = await awaited(client, "anna", is_issued)
    (tmp_path / "anna.crt").write_bytes(base64.b64decode(found["status"]["certificate"]))
    (tmp_path / "anna.key").write_bytes(client_pem())
    context = ssl.create_default_context(cafile=tmp_path / "data" / "pki" / "ca.crt")
    context.load_cert_chain(tmp_path / "anna.crt", tmp_path / "anna.key")

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        anna = Client(session, client.url)
        status, told = await anna.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
        refused = await anna.ask("GET", "/api/v1/nodes")

    assert status == 201
    assert (told["status"]["userInfo"]["username"], told["status"]["userInfo"]["groups"]) == (
        "anna",
        ["ops", "system:authenticated"],
    )
    assert refused[0] == 403
    assert 'User "anna" cannot list resource "nodes"' in refused[1]["message"]


async def test_a_kubelets_is_approved_by_itself_where_a_role_says_so(client: Client) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NODE_ROLE}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:masters"}
    body = asking("boot", encoded(der(NODE, NODES)), KUBELET_CLIENT, USAGES)
    other = asking("other", encoded(der("anna", NODES)), KUBELET_CLIENT, USAGES)
    for one in (body, other):
        assert (await client.ask("POST", REQUESTS, one, Impersonate_User="boot", Impersonate_Group="system:masters"))[
            0
        ] == 201
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    binding = {"metadata": {"name": "boots"}, "roleRef": reference, "subjects": [subject]}
    assert (await client.ask("POST", path, binding))[0] == 201
    assert (await client.ask("POST", "/kilde/clock", {"advance": "60s"}))[0] == 200
    found = await awaited(client, "boot", is_issued)

    (condition,) = found["status"]["conditions"]
    assert (condition["type"], condition["reason"], condition["message"]) == (
        "Approved",
        "AutoApproved",
        "Auto approving kubelet client certificate after SubjectAccessReview.",
    )
    assert (await client.ask("GET", f"{REQUESTS}/other"))[1]["status"] == {}


async def test_old_ones_are_deleted(client: Client) -> None:
    request = encoded(der("anna"))
    for name in ("issued", "denied", "failed", "pending", "unsigned"):
        signer, usages = ("example.com/a" if name == "unsigned" else CLIENT), USAGES[: 1 if name != "failed" else 3]
        body = asking(name, request, signer, ("server auth",) if name == "failed" else usages)
        assert (await client.ask("POST", REQUESTS, body))[0] == 201
        decided = approval(body)
        decided["status"]["conditions"][0]["type"] = "Denied" if name == "denied" else "Approved"
        if name != "pending":
            assert (await client.ask("PUT", f"{REQUESTS}/{name}/approval", decided))[0] == 200
    await awaited(client, "issued", is_issued)
    failed = await awaited(client, "failed", lambda status: len(status.get("conditions") or ()) == 2)
    left = []
    for hours in (0.9, 0.2, 22, 1):
        assert (await client.ask("POST", "/kilde/clock", {"advance": f"{hours * 3600:.0f}s"}))[0] == 200
        left.append({one["metadata"]["name"] for one in (await client.ask("GET", REQUESTS))[1]["items"]})

    assert failed["status"]["conditions"][1]["message"] == "invalid usage for client certificate: server auth"
    assert [len(one) for one in left] == [5, 2, 2, 0]
    assert left[1] == {"pending", "unsigned"}
