"""MutatingAdmissionPolicies in turn: each sees what those before it have made, and some are asked again. Both servers make the same.

The real server asks the policies in an order that is random, so what is made here does not depend on it.
"""

import time
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import PATIENCE, Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

ROOT = "/apis/admissionregistration.k8s.io/v1"
MERGE = "application/merge-patch+json"


def patched(text: str) -> dict[str, Any]:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": text}}


def applied(text: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": text}}


COUNTED = applied(
    'Object{data: {"count": string(int(has(object.data.count) ? object.data.count : "0") + 1),'
    ' "seen": has(object.data.b) ? "b" : "none"}}'
)
POLICIES: tuple[dict[str, Any], ...] = (
    {"reinvocationPolicy": "IfNeeded", "mutations": [COUNTED]},
    {
        "reinvocationPolicy": "Never",
        "mutations": [
            patched('[JSONPatch{op: "add", path: "/data/b", value: "1"}]'),
            patched('[JSONPatch{op: "add", path: "/data/c", value: object.data.b + "2"}]'),
        ],
    },
    {
        "reinvocationPolicy": "Never",
        "failurePolicy": "Ignore",
        "mutations": [applied("Object{data: {string(1/0): string(1)}}")],
    },
)


def test_policies_see_what_others_have_made(pair: Pair, namespace: str) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    for number, policy in enumerate(POLICIES):
        name = {"name": f"{namespace}-{number}"}
        spec = {"failurePolicy": "Fail", **policy, "matchConstraints": {**here, "resourceRules": [rule]}}
        pair.set_up(
            Ask("POST", f"{ROOT}/mutatingadmissionpolicies", {"metadata": name, "spec": spec}),
            Ask(
                "POST",
                f"{ROOT}/mutatingadmissionpolicybindings",
                {"metadata": name, "spec": {"policyName": name["name"]}},
            ),
        )
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    _await_policies(pair, path)
    found: list[str] = []
    for ask in (
        Ask("POST", path, {"metadata": {"name": "a"}, "data": {"z": "z"}}),
        Ask("PATCH", f"{path}/a", {"data": {"y": "y"}}, MERGE),
        Ask("POST", path, {"metadata": {"name": "b"}, "data": {"count": "1"}}),
    ):
        real, ours = (normal(answer) for answer in pair.ask(ask))
        found += [f"{ask}: {line}" for line in differences(real, ours)]
    assert not found, "\n".join(found)
    assert ours["body"]["data"] == {"b": "1", "c": "12", "count": "3", "seen": "b"}


def _await_policies(pair: Pair, path: str) -> None:
    """Until the real server knows all of them; it learns of them one by one."""
    ask = Ask("POST", f"{path}?dryRun=All", {"metadata": {"name": "probe"}, "data": {"z": "z"}})
    until = time.monotonic() + PATIENCE
    while not {"c", "seen"} <= (pair.real.ask(ask)["body"].get("data") or {}).keys():
        assert time.monotonic() < until, "the policies are not seen"
        time.sleep(0.1)
