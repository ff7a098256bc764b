"""--kubernetes-version: an older release is served with its kinds, its fields and its name."""

import json
from pathlib import Path
from typing import Any

import pytest

from kilde.core.basics.errors import InvalidInput
from kilde.kubeapi.resources.release import NEWEST, RELEASES, release
from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import Client, running

PODS = "/api/v1/namespaces/default/pods"
SETS = "/apis/admissionregistration.k8s.io/v1"


def served(folder: Path, minor: str, **more: Any) -> Settings:
    found = {"controllers": Controllers.OFF, **more}
    return Settings(kubeconfig=folder / "kubeconfig", tls=False, release=release(minor), **found)


def pod(name: str) -> dict[str, Any]:
    container = {
        "name": "c",
        "image": "i",
        "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In"}}],
    }
    spec = {"hostnameOverride": "h", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


async def _account(client: Client) -> None:
    await client.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})


@pytest.mark.anyio
@pytest.mark.parametrize("minor", RELEASES)
async def test_it_says_which_release_it_is(tmp_path: Path, minor: str) -> None:
    async with running(served(tmp_path, f"v{minor}.7")) as client:
        _, version = await client.ask("GET", "/version")
        _, document = await client.ask("GET", "/openapi/v3/api/v1")

    assert (f"{version['major']}.{version['minor']}", version["gitVersion"]) == (minor, RELEASES[minor])
    assert document["info"]["version"] == minor


@pytest.mark.anyio
async def test_kinds_that_came_later_are_not_there(tmp_path: Path) -> None:
    kinds: dict[str, set[str]] = {}
    for minor in ("1.33", NEWEST):
        async with running(served(tmp_path, minor)) as client:
            _, groups = await client.ask("GET", "/apis")
            found = {each["name"] for each in groups["groups"]}
            _, listed = await client.ask("GET", SETS)
            kinds[minor] = found | {each["name"] for each in listed["resources"]}
            status, _ = await client.ask("GET", f"{SETS}/mutatingadmissionpolicies")
            assert status == (404 if minor == "1.33" else 200)
            status, _ = await client.ask("GET", "/apis/resource.k8s.io/v1/deviceclasses")
            assert status == (404 if minor == "1.33" else 200)
            _, index = await client.ask("GET", "/openapi/v3")
            assert ("apis/resource.k8s.io/v1" in json.loads(index)["paths"]) == (minor == NEWEST)

    assert kinds[NEWEST] - kinds["1.33"] == {
        "resource.k8s.io",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    }
    assert not kinds["1.33"] - kinds[NEWEST]


@pytest.mark.anyio
async def test_fields_that_came_later_are_unknown(tmp_path: Path) -> None:
    async with running(served(tmp_path, "1.33")) as client:
        await _account(client)
        status, refused = await client.ask("POST", f"{PODS}?fieldValidation=Strict", pod("a"))
        assert status == 400
        assert 'unknown field "spec.hostnameOverride"' in refused["message"]
        assert 'unknown field "spec.containers[0].restartPolicyRules"' in refused["message"]
        status, made = await client.ask("POST", PODS, pod("a"))
        _, document = await client.ask("GET", "/openapi/v3/api/v1")

    assert status == 201
    assert "hostnameOverride" not in made["spec"]
    assert "restartPolicyRules" not in made["spec"]["containers"][0]
    fields = document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert "hostnameOverride" not in fields
    assert "hostname" in fields


@pytest.mark.anyio
async def test_the_newest_knows_them(tmp_path: Path) -> None:
    body = pod("a")
    del body["spec"]["containers"][0]["restartPolicyRules"]
    async with running(served(tmp_path, NEWEST)) as client:
        await _account(client)
        status, made = await client.ask("POST", f"{PODS}?fieldValidation=Strict", body)

    assert (status, made["spec"]["hostnameOverride"]) == (201, "h")


def test_what_cannot_be_served_is_told() -> None:
    with pytest.raises(InvalidInput, match=r"Kubernetes 1\.12 cannot be served"):
        release("1.12")


def test_every_kind_of_a_release_has_its_type() -> None:
    for minor in RELEASES:
        found = release(minor)
        lacking = [
            one.qualified
            for one in found.resources
            if found.types.node(one.group, one.version, one.kind) is None
            and release().types.node(one.group, one.version, one.kind) is not None
        ]
        assert lacking == []
