"""Rules and policies that cost much do not keep others waiting: they are worked out aside, and the write is judged as if they were not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import Client, running

pytestmark = pytest.mark.anyio
pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POLICIES = "/apis/admissionregistration.k8s.io/v1"
NESTED = "self.all(a, self.all(b, a + b >= 0))"
NUMBERS: dict[str, Any] = {"type": "array", "maxItems": 400, "items": {"type": "integer", "maximum": 999}}
SPEC = {
    "type": "object",
    "properties": {"l": {**NUMBERS, "x-kubernetes-validations": [{"rule": NESTED}, {"rule": "self.sum() < 9"}]}},
}
DEFINITION = {
    "metadata": {"name": "slows.c.example.com"},
    "spec": {
        "group": "c.example.com",
        "scope": "Cluster",
        "names": {"plural": "slows", "kind": "Slow"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
            }
        ],
    },
}
SLOW = {"apiVersion": "c.example.com/v1", "kind": "Slow", "metadata": {"name": "a"}}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)) as found:
        yield found


async def beside(client: Client, path: str, body: dict[str, Any]) -> tuple[int, Any, int]:
    """(code, answer of a create, how many others were answered meanwhile)."""
    writing = asyncio.ensure_future(client.ask("POST", path, body))
    others = 0
    while not writing.done():
        assert (await client.ask("GET", "/version"))[0] == 200
        others += not writing.done()
    code, answer = await writing
    return code, answer, others


async def test_rules_of_an_object(client: Client) -> None:
    assert (await client.ask("POST", CRDS, DEFINITION))[0] == 201
    wrong = {**SLOW, "spec": {"l": list(range(300))}}
    code, answer, others = await beside(client, "/apis/c.example.com/v1/slows", wrong)

    assert (code, others >= 3) == (422, True), (code, answer, others)
    assert answer["message"] == (
        'Slow.c.example.com "a" is invalid: spec.l: Invalid value: failed rule: self.sum() < 9'
    )
    code, answer, others = await beside(client, "/apis/c.example.com/v1/slows", {**SLOW, "spec": {"l": [0] * 300}})
    assert (code, others >= 3) == (201, True), (code, answer, others)


async def test_what_is_written_meanwhile_is_not_overwritten(client: Client) -> None:
    assert (await client.ask("POST", CRDS, DEFINITION))[0] == 201
    path = "/apis/c.example.com/v1/slows"
    _, made = await client.ask("POST", path, {**SLOW, "spec": {"l": [0]}})
    slow = asyncio.ensure_future(client.ask("PUT", f"{path}/a", {**made, "spec": {"l": [0] * 300}}))
    await client.ask("GET", "/version")
    code, _ = await client.ask("PUT", f"{path}/a", {**made, "spec": {"l": [1]}})
    assert (code, slow.done()) == (200, False)

    code, answer = await slow
    assert (code, answer["reason"]) == (409, "Conflict")
    assert (await client.ask("GET", f"{path}/a"))[1]["spec"] == {"l": [1]}


async def test_a_policy_that_asks_for_rights(client: Client) -> None:
    costly = "[1, 2].all(a, object.data.all(k, object.data.all(j, object.data[k] != object.data[j] || k == j)))"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    asks = "authorizer.requestResource.check('delete').allowed()"
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": f"{costly} && !{asks}", "message": "no"}],
    }
    name = {"name": "slow"}
    assert (await client.ask("POST", f"{POLICIES}/validatingadmissionpolicies", {"metadata": name, "spec": spec}))[
        0
    ] == 201
    bound = {"metadata": name, "spec": {"policyName": "slow", "validationActions": ["Deny"]}}
    assert (await client.ask("POST", f"{POLICIES}/validatingadmissionpolicybindings", bound))[0] == 201

    data = {f"k{number:03d}": f"v{number}" for number in range(150)}
    path = "/api/v1/namespaces/default/configmaps"
    code, answer, others = await beside(client, path, {"metadata": {"name": "a"}, "data": data})
    assert (code, others >= 3) == (422, True), (code, answer, others)
    assert answer["message"] == (
        "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'slow' with binding 'slow' denied request: no"
    )


HOOKS = f"{POLICIES}/validatingwebhookconfigurations"
COSTLY = "object.data.all(k, object.data.all(j, object.data[k] != object.data[j] || k == j))"


async def test_match_conditions_of_webhooks(client: Client) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    hooks = [
        {
            "name": f"h{number}.example.com",
            "rules": [rule],
            "clientConfig": {"url": "https://127.0.0.1:9/"},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "matchConditions": [{"name": "m", "expression": f"{COSTLY} && {more}"}],
        }
        for number, more in enumerate(["false"] * 9 + ["object.metadata.name == 'b'"])
    ]
    assert (await client.ask("POST", HOOKS, {"metadata": {"name": "slow"}, "webhooks": hooks}))[0] == 201
    data = {f"k{number:03d}": f"v{number}" for number in range(150)}
    path = "/api/v1/namespaces/default/configmaps"
    code, answer, others = await beside(client, path, {"metadata": {"name": "a"}, "data": data})
    assert (code, others >= 9) == (201, True), (code, answer, others)
    code, answer, others = await beside(client, path, {"metadata": {"name": "b"}, "data": data})
    assert (code, others >= 9) == (500, True), (code, answer, others)
    assert answer["message"].startswith(
        'Internal error occurred: failed calling webhook "h9.example.com": failed to call webhook:'
    )
