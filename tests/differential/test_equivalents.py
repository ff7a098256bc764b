"""matchPolicy: rules for one version of a resource see requests for another, on both servers alike; and a token's request is shown."""

import time
from typing import Any

import pytest

from differential.hooks import MUTATING, ROOT, SEEN_BY_THE_REAL_SERVER, VALIDATING, Hook, compared, within
from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
DEPLOYMENT = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}}
APPLIED = {"apiVersion": "apps/v1", "kind": "Deployment", **DEPLOYMENT}
EXACT = {"matchPolicy": "Exact"}
HPA = {
    "metadata": {"name": "a"},
    "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}},
}
EVENT = {
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "p", "namespace": "NAMESPACE"},
    "reason": "Because",
    "message": "It is so",
    "type": "Normal",
    "source": {"component": "me", "host": "h"},
    "firstTimestamp": "2026-01-02T03:04:05Z",
    "count": 2,
}
NEWER_EVENT = {
    "metadata": {"name": "n"},
    "regarding": {"kind": "Pod", "name": "p", "namespace": "NAMESPACE"},
    "reason": "Because",
    "note": "It is so",
    "type": "Normal",
    "action": "Doing",
    "eventTime": "2026-01-02T03:04:05.000006Z",
    "reportingController": "me.example.com/x",
    "reportingInstance": "me-1",
}
V1, V2 = "/apis/autoscaling/v1:/horizontalpodautoscalers", "/apis/autoscaling/v2:/horizontalpodautoscalers"
EVENTS, NEWER = "/api/v1:/events", "/apis/events.k8s.io/v1:/events"
DOZENS = "/apis/example.com/v1:/dozens"
DOZENS_BETA = "/apis/example.com/v1beta1:/dozens"


def rule(group: str, version: str, *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "apiVersions": [version], "operations": ["*"], "resources": [*resources]}


def of_autoscalers(version: str) -> dict[str, Any]:
    return {"rules": [rule("autoscaling", version, "horizontalpodautoscalers", "horizontalpodautoscalers/status")]}


def dozen(**spec: Any) -> dict[str, Any]:
    return {"kind": "Dozen", "metadata": {"name": "z"}, "spec": spec}


PUT = {**HPA, "spec": {**HPA["spec"], "minReplicas": 2}}
STATUS = {**HPA, "status": {"currentReplicas": 1, "desiredReplicas": 2}}
BOTH = [
    Ask("POST", V1, HPA),
    Ask("PUT", f"{V2}/a", PUT),
    Ask("PUT", f"{V1}/a/status", STATUS),
    Ask("DELETE", f"{V1}/a"),
]
CASES: dict[str, tuple[str, str, dict[str, Any], list[Ask]]] = {
    "v1 is shown as v2": (VALIDATING, "/warn", of_autoscalers("v2"), BOTH),
    "v2 is shown as v1": (VALIDATING, "/warn", of_autoscalers("v1"), BOTH),
    "the version asked for comes first": (
        VALIDATING,
        "/warn",
        {"rules": of_autoscalers("v2")["rules"] + of_autoscalers("v1")["rules"]},
        BOTH,
    ),
    "exactly v2": (VALIDATING, "/deny", {**of_autoscalers("v2"), **EXACT}, BOTH),
    "v1 is changed as v2": (MUTATING, "/count", of_autoscalers("v2"), BOTH),
    "v2 is changed as v1": (MUTATING, "/count", of_autoscalers("v1"), BOTH),
    "a condition sees what the rule names": (
        VALIDATING,
        "/deny",
        {**of_autoscalers("v2"), "matchConditions": [{"name": "m", "expression": "has(object.spec.metrics)"}]},
        [Ask("POST", V1, HPA)],
    ),
    "events are shown as those of the newer group": (
        VALIDATING,
        "/warn",
        {"rules": [rule("events.k8s.io", "v1", "events")]},
        [
            Ask("POST", EVENTS, EVENT),
            Ask("POST", NEWER, NEWER_EVENT),
            Ask("GET", f"{NEWER}/e"),
            Ask("GET", f"{EVENTS}/n"),
            Ask("GET", f"{NEWER}?fieldSelector=regarding.name=p"),
            Ask("GET", f"{NEWER}?fieldSelector=involvedObject.name=p"),
            Ask("DELETE", f"{NEWER}/e"),
        ],
    ),
    "newer events are changed as those of the core group": (
        MUTATING,
        "/count",
        {"rules": [rule("", "v1", "events")]},
        [Ask("POST", NEWER, NEWER_EVENT), Ask("POST", EVENTS, EVENT), Ask("GET", f"{EVENTS}/n")],
    ),
    "versions of a custom resource": (
        MUTATING,
        "/count",
        {"rules": [rule("example.com", "v1beta1", "dozens", "dozens/status", "dozens/scale")]},
        [
            Ask("POST", DOZENS, dozen(replicas=1)),
            Ask("GET", f"{DOZENS_BETA}/z"),
            Ask("PATCH", f"{DOZENS_BETA}/z", {"spec": {"replicas": 2}}, MERGE),
            Ask("PATCH", f"{DOZENS}/z", {"spec": {"replicas": 3}}, MERGE),
            Ask("PATCH", f"{DOZENS}/z/scale", {"spec": {"replicas": 4}}, MERGE),
            Ask("DELETE", f"{DOZENS}/z"),
        ],
    ),
    "a scale": (
        VALIDATING,
        "/warn",
        {"rules": [rule("apps", "v1", "deployments/scale", "deployments")]},
        [
            Ask("POST", "/apis/apps/v1:/deployments", DEPLOYMENT),
            Ask("PATCH", "/apis/apps/v1:/deployments/d/scale", {"spec": {"replicas": 2}}, MERGE),
            Ask("PUT", "/apis/apps/v1:/deployments/d/scale", {"metadata": {"name": "d"}, "spec": {"replicas": 3}}),
            Ask("PATCH", "/apis/apps/v1:/deployments/d?fieldManager=m&force=true", APPLIED, APPLY),
            Ask("PATCH", "/apis/apps/v1:/deployments/d", {"metadata": {"labels": {"a": "b"}}}, MERGE),
        ],
    ),
    "a token": (
        VALIDATING,
        "/warn",
        {"rules": [rule("", "v1", "serviceaccounts/token")]},
        [
            Ask("POST", "/serviceaccounts/default/token", {}),
            Ask("POST", "/serviceaccounts/default/token", {"metadata": {"name": "other"}}),
            Ask("POST", "/serviceaccounts/default/token", {"metadata": {"uid": "other"}}),
            Ask("POST", "/serviceaccounts/default/token", {"spec": {"audiences": ["a"], "expirationSeconds": 601}}),
            Ask("POST", "/serviceaccounts/default/token", {"spec": {"expirationSeconds": 6}}),
            Ask("POST", "/serviceaccounts/default/token", {"spec": {"boundObjectRef": {"kind": "Pod", "name": "x"}}}),
            Ask("POST", "/serviceaccounts/default/token", {"spec": {"boundObjectRef": {"kind": "Nope", "name": "x"}}}),
            Ask("POST", "/serviceaccounts/nobody/token", {}),
        ],
    ),
    "a token is changed": (
        MUTATING,
        "/count",
        {"rules": [rule("", "v1", "serviceaccounts/token")]},
        [Ask("POST", "/serviceaccounts/default/token", {"spec": {"audiences": ["a"]}})],
    ),
    "a token is denied": (
        VALIDATING,
        "/deny",
        {"rules": [rule("", "v1", "serviceaccounts/*")]},
        [Ask("POST", "/serviceaccounts/default/token", {})],
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _dozens(pair: Pair) -> None:
    """A custom resource in two versions of one shape."""
    replicas = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": replicas, "status": replicas}}
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    versions = [
        {
            "name": name,
            "served": True,
            "storage": name == "v1",
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}, "scale": paths},
        }
        for name in ("v1", "v1beta1")
    ]
    names = {"plural": "dozens", "kind": "Dozen"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions}
    crd = {"metadata": {"name": "dozens.example.com"}, "spec": spec}
    pair.set_up(Ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd))
    for version in ("v1", "v1beta1"):
        pair.await_served(f"/apis/example.com/{version}/dozens")


def _placed(namespace: str, ask: Ask) -> Ask:
    found = within(namespace, ask)
    if not isinstance(ask.body, dict):
        return found
    body = {**ask.body}
    for key in ("involvedObject", "regarding"):
        if key in body:
            body[key] = {**body[key], "namespace": namespace}
    if body.get("kind") == "Dozen":
        body["apiVersion"] = "example.com/" + found.path.split("/")[3]
    return Ask(found.method, found.path, body, found.media, found.accept)


@pytest.mark.parametrize("case", CASES)
def test_a_rule_sees_what_it_names(pair: Pair, namespace: str, hook: Hook, case: str) -> None:
    kind, path, webhook, asks = CASES[case]
    made = {"clientConfig": hook.client(path), **webhook}
    found = compared(pair, hook, namespace, kind, [made], [_placed(namespace, ask) for ask in asks])

    assert not found, "\n".join(found)


@pytest.mark.parametrize("policy", ["Equivalent", "Exact", ""])
def test_a_policy_sees_what_it_names(pair: Pair, namespace: str, policy: str) -> None:
    constraints: dict[str, Any] = of_autoscalers("v2")
    told = "request.requestResource.version + ' as ' + request.resource.version + ' ' + object.apiVersion"
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": constraints["rules"],
            **({"matchPolicy": policy} if policy else {}),
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        },
        "validations": [{"expression": "!has(object.spec.metrics)", "messageExpression": told}],
    }
    binding = {"policyName": namespace, "validationActions": ["Deny"]}
    pair.set_up(
        Ask("POST", f"{ROOT}/validatingadmissionpolicies", {"metadata": {"name": namespace}, "spec": spec}),
        Ask("POST", f"{ROOT}/validatingadmissionpolicybindings", {"metadata": {"name": namespace}, "spec": binding}),
    )
    time.sleep(2 * SEEN_BY_THE_REAL_SERVER)
    found = []
    for ask in (Ask("POST", V1, HPA), Ask("POST", V2, {**HPA, "metadata": {"name": "b"}})):
        real, ours = pair.ask(within(namespace, ask))
        found += [f"{ask}: {line}" for line in differences(normal(real), normal(ours))]

    assert not found, "\n".join(found)
