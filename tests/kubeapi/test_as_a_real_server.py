"""What random requests beside a real API server taught us (tests/differential finds such things; each is kept here by itself)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kilde.kubeapi.logic import warnings
from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import APPLY, MERGE, Client, running

pytestmark = pytest.mark.anyio

ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
JOBS = "/apis/batch/v1/namespaces/default/jobs"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)) as found:
        yield found


def role(**rest: Any) -> dict[str, Any]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}, **rest}


def pods(**metadata: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "nginx"}
    return {"metadata": {"labels": {"app": "a"}, **metadata}, "spec": {"containers": [container]}}


def deployment() -> dict[str, Any]:
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": pods()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "labels": {"a": "1"}},
        "spec": spec,
    }


async def test_an_empty_list_that_is_always_written_is_null_once_stored(client: Client) -> None:
    _, made = await client.ask("POST", ROLES, role(rules=[]))
    status, again = await client.ask("PATCH", f"{ROLES}/x", {"rules": []}, content_type=MERGE)
    assert (made["rules"], status, again) == (None, 200, made)


async def test_a_put_creates_a_role_that_is_not_there(client: Client) -> None:
    assert (await client.ask("PUT", f"{ROLES}/x", role()))[0] == 201
    assert (await client.ask("PUT", f"{DEPLOYMENTS}/x", deployment()))[0] == 404


async def test_who_scales_to_none_owns_nothing(client: Client) -> None:
    await client.ask("POST", f"{DEPLOYMENTS}?fieldManager=one", deployment())
    scale = {"spec": {"replicas": 0}}
    await client.ask("PATCH", f"{DEPLOYMENTS}/x/scale?fieldManager=two", scale, content_type=MERGE)
    _, found = await client.ask("GET", f"{DEPLOYMENTS}/x")
    assert (found["spec"]["replicas"], [each["manager"] for each in found["metadata"]["managedFields"]]) == (0, ["one"])


async def test_a_status_of_a_deployment_leaves_its_labels(client: Client) -> None:
    await client.ask("POST", DEPLOYMENTS, deployment())
    sent = {"metadata": {"labels": {"a": "2"}, "annotations": {"note": "n"}}, "status": {"replicas": 1}}
    _, found = await client.ask("PATCH", f"{DEPLOYMENTS}/x/status", sent, content_type=MERGE)
    assert (found["metadata"]["labels"], found["metadata"]["annotations"]) == ({"a": "1"}, {"note": "n"})


async def test_a_job_without_labels_has_all_of_its_pods(client: Client) -> None:
    spec = {"template": {**pods(), "spec": {**pods()["spec"], "restartPolicy": "Never"}}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": spec}
    _, made = await client.ask("POST", JOBS, job)
    assert made["metadata"]["labels"] == made["spec"]["template"]["metadata"]["labels"]
    assert made["metadata"]["labels"]["job-name"] == "x"


async def test_labels_of_a_slice_count_a_generation_and_annotations_do_not(client: Client) -> None:
    sent = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "x"}}
    await client.ask("POST", SLICES, {**sent, "addressType": "IPv4", "endpoints": []})
    generations = []
    for metadata in ({"annotations": {"a": "b"}}, {"labels": {"a": "b"}}):
        changed = {"metadata": metadata, "endpoints": []}  # which are null by now, and no change either
        _, found = await client.ask("PATCH", f"{SLICES}/x", changed, content_type=MERGE)
        generations.append(found["metadata"]["generation"])
    assert generations == [1, 2]


async def test_a_deleted_budget_is_told_of_by_a_status(client: Client) -> None:
    await client.ask(
        "POST", BUDGETS, {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "x"}}
    )
    assert (await client.ask("DELETE", f"{BUDGETS}/x"))[1]["kind"] == "Status"


async def test_what_is_applied_without_metadata_that_can_be_read_is_refused_by_its_type(client: Client) -> None:
    sent = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": True}
    status, refused = await client.ask("PATCH", f"{DEPLOYMENTS}/x?fieldManager=m", sent, content_type=APPLY)
    words = "failed to create typed patch object (/; apps/v1, Kind=Deployment): .metadata: expected map, got &{true}"
    assert (status, refused["message"]) == (500, words)


async def test_the_status_of_what_is_not_there_is_not_found(client: Client) -> None:
    sent = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "status": {}}
    url = f"{DEPLOYMENTS}/x/status?fieldManager=m"
    assert (await client.ask("PATCH", url, sent, content_type=APPLY))[0] == 404


async def test_what_is_no_address_is_told_before_all_else_of_a_service(client: Client) -> None:
    sent = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"clusterIP": "Nonex"}}
    status, refused = await client.ask("POST", "/api/v1/namespaces/default/services", sent)
    assert (status, [each["field"] for each in refused["details"]["causes"]]) == (422, ["spec.clusterIPs[0]"])


async def test_a_new_finalizer_without_a_domain_is_warned_of() -> None:
    def bag(*names: str) -> dict[str, Any]:
        return {"metadata": {"finalizers": [*names]}}

    found = [*warnings.of_custom(bag("bad", "kubernetes", "a.b/c"), None), *warnings.of_custom(bag("bad"), bag("bad"))]
    words = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
    assert found == [f'metadata.finalizers: "bad": {words}']


async def test_a_strategic_patch_that_does_not_fit_is_quoted_itself(client: Client) -> None:
    await client.ask("POST", ROLES, role())
    media = "application/strategic-merge-patch+json"
    status, refused = await client.ask("PATCH", f"{ROLES}/x", {"metadata": 1.5}, content_type=media)
    words = 'Invalid value: "map[metadata:1.5]": cannot restore struct from: float64'
    assert (status, refused["details"]["causes"][0]["message"]) == (422, words)


async def test_a_headless_service_of_one_family_has_one(client: Client) -> None:
    spec = {"clusterIP": "None", "ipFamilyPolicy": "SingleStack"}
    sent = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec}
    status, made = await client.ask("POST", "/api/v1/namespaces/default/services", sent)
    assert (status, made["spec"]["ipFamilies"]) == (201, ["IPv4"])


async def test_a_patch_of_nothing_writes_nothing_in_any_version_of_a_custom_resource(client: Client) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    versions = [{"name": name, "served": True, "storage": name == "v1", "schema": schema} for name in ("v1", "v2")]
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions},
    }
    assert (await client.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition))[0] == 201
    paths = {version: f"/apis/example.com/{version}/namespaces/default/gadgets" for version in ("v1", "v2")}
    body = {"apiVersion": "example.com/v2", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"a": 1}}
    _, made = await client.ask("POST", paths["v2"], body)
    for version, path in paths.items():
        _, found = await client.ask("PATCH", f"{path}/g", {}, content_type=MERGE)
        assert found["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"], version


async def test_an_apply_with_bytes_that_are_none_says_who_could_not_read_them(client: Client) -> None:
    sent = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "%%"}}
    path = "/api/v1/namespaces/default/secrets/x?fieldManager=m"
    status, found = await client.ask("PATCH", path, sent, content_type=APPLY)
    why = "unable to convert unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte 0"
    assert (status, found["message"].endswith(why)) == (500, True), found["message"]
