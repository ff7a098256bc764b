"""Types against the expressions of policies: both controller managers tell the same warnings, and which generation they have looked at."""

import json
import re
import secrets
import time
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair, Side

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

PATH = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
PATIENCE = 30.0
_BY_THE_CLOCK = re.compile(r"\b([A-Z][A-Za-z]+)\d+(?=[.', )\"])")  # the names of types, in both
APPS: dict[str, Any] = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"]}
CORE: dict[str, Any] = {**APPS, "apiGroups": [""]}
DEPLOYMENTS = [{**APPS, "resources": ["deployments"]}]
OF_A_DEPLOYMENT = """
object.spec.replicas > 1
object.spec.nope == 1
object.spec.replicas == 'a'
object.spec.replicas + 1.0 > 2.0
object.nope && object.neither
has(object.spec.foo)
has(object.spec.replicas.foo)
oldObject.spec.nope == 1
oldObject == null
object == 1
object.spec == object.status
object.apiVersion == 1
object.kind == object.spec
object.metadata.labels['a'] == 1
object.metadata.labels.a == 1
object.metadata.labels.exists(l, l == 1)
object.metadata.namespace == 1
object.metadata.namespace.size() == 1
object.metadata.labels.size() == dyn('1')
object.metadata.ownerReferences.all(o, o.nope == 1)
object.metadata.creationTimestamp == 'x'
object.metadata.managedFields[0].fieldsV1.x == 1
object.metadata.managedFields[0].fieldsV1 == 1
object.spec.template.spec.containers.all(c, c.image == 1)
object.spec.template.spec.containers[0].resources.limits['cpu'] == '1'
object.spec.template.spec.containers[0].ports[0].containerPort == 'x'
object.spec.template.spec.containers[0].nope.either == 1
object.spec.template.spec.volumes[0].emptyDir.sizeLimit == '1Gi'
object.spec.template.spec.securityContext.runAsNonRoot == 'true'
object.spec.template.spec.nodeSelector == {'a': 1}
object.spec.strategy.rollingUpdate.maxSurge == 'x'
object.spec.strategy.rollingUpdate.maxSurge.x == 'x'
object.spec.strategy.rollingUpdate.maxSurge == 1
object.status.conditions.map(c, c.status).exists(s, s == 1)
object.status.conditions[0].lastUpdateTime == timestamp('2026-01-01T00:00:00Z')
object.spec.?replicas.orValue('x') == 1
object.spec.selector.matchExpressions[?0].optMap(e, e.values).orValue([]) == [1]
dyn(object).nope == 1
authorizer.requestResource.check('get').allowed()
object.spec.replicas > 'é'
""".strip().splitlines()
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.checked.example.com"},
    "spec": {
        "group": "checked.example.com",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "scope": "Cluster",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                                "properties": {
                                    "size": {"type": "integer"},
                                    "either": {"x-kubernetes-int-or-string": True},
                                    "in": {"type": "string"},
                                    "any": {"x-kubernetes-preserve-unknown-fields": True},
                                    "when": {"type": "string", "format": "date-time"},
                                    "pod": {
                                        "type": "object",
                                        "x-kubernetes-embedded-resource": True,
                                        "properties": {
                                            "spec": {"type": "object", "properties": {"n": {"type": "integer"}}}
                                        },
                                    },
                                    "map": {"type": "object", "additionalProperties": {"type": "number"}},
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}
OF_A_WIDGET = """
object.spec.size == 'x'
object.spec.unknown == 1
object.spec.either == 'x'
object.spec.either.x == 'x'
object.spec.__in__ == 1
object.spec.any == 1
object.spec.when == 'x'
object.spec.pod.metadata.labels.a == 1
object.spec.pod.spec.nodeName == 'x'
object.spec.map.a == 'x'
object.metadata.labels.a == 1
object.metadata.nope == 1
object.status == 1
""".strip().splitlines()


def policy(rules: list[dict[str, Any]], *validations: Any, **more: Any) -> dict[str, Any]:
    """The spec of a policy with these validations; a text is an expression."""
    found = [{"expression": one} if isinstance(one, str) else one for one in validations]
    return {"matchConstraints": {"resourceRules": rules}, "validations": found, **more}


def about(*resources: str, group: str = "", version: str = "v1") -> list[dict[str, Any]]:
    return [{**CORE, "apiGroups": [group], "apiVersions": [version], "resources": list(resources)}]


WRONG = "object.spec.nope == 1"
MANY = [
    "pods",
    "services",
    "configmaps",
    "secrets",
    "nodes",
    "namespaces",
    "endpoints",
    "limitranges",
    "events",
    "serviceaccounts",
]
POLICIES = {
    "expressions": policy(DEPLOYMENTS, *OF_A_DEPLOYMENT),
    "well": policy(DEPLOYMENTS, "object.spec.replicas > 1", {"expression": "true", "messageExpression": "'a'"}),
    "messages": policy(
        DEPLOYMENTS,
        {"expression": "object.spec.replicas > 1", "messageExpression": "'a' + object.spec.replicas"},
        {"expression": WRONG, "messageExpression": "string(object.spec.neither)"},
        {"expression": "\n  object.spec.replicas\n  == 'a'\n", "message": "m"},
    ),
    "others": policy(
        DEPLOYMENTS,
        "true",
        matchConditions=[{"name": "m", "expression": WRONG}],
        auditAnnotations=[{"key": "a", "valueExpression": "string(object.spec.nope)"}],
    ),
    "variables": policy(
        DEPLOYMENTS,
        "variables.count == 'a'",
        "variables.spec.nope == 1",
        "variables.containers[0].nope == 1",
        "variables.names[0] == 1",
        "dyn(variables.twice) == 'a'",
        "variables.wrong == 1",
        "variables.labels.a == 1",
        variables=[
            {"name": "count", "expression": "object.spec.replicas"},
            {"name": "spec", "expression": "object.spec"},
            {"name": "containers", "expression": "object.spec.template.spec.containers"},
            {"name": "names", "expression": "variables.containers.map(c, c.name)"},
            {"name": "twice", "expression": "variables.count * 2"},
            {"name": "wrong", "expression": "object.spec.nope"},
            {"name": "labels", "expression": "object.metadata.labels"},
        ],
    ),
    "several": policy(
        [*about("pods", "services", "configmaps"), {**APPS, "resources": ["deployments", "statefulsets", "replicasets/scale"]}],
        "object.spec.replicas > 1",
        "object.data.a == 1",
        "object.spec.selector == 1",
        "object.spec.ports.all(p, p.targetPort == 80 && p.port == '80')",
    ),
    "params": policy(
        DEPLOYMENTS, "params.data.a == 1", "params.nope == object.spec.nope", paramKind={"apiVersion": "v1", "kind": "ConfigMap"}
    ),
    "same-params": policy(
        DEPLOYMENTS, "params.spec == object.metadata", paramKind={"apiVersion": "apps/v1", "kind": "Deployment"}
    ),
    "params-unknown": policy(DEPLOYMENTS, "params.a.b == 1", WRONG, paramKind={"apiVersion": "x.example.com/v1", "kind": "X"}),
    "widgets": policy(
        about("widgets", group="checked.example.com"),
        *OF_A_WIDGET,
        "params.spec.size == 'x'",
        paramKind={"apiVersion": "checked.example.com/v1", "kind": "Widget"},
    ),
    "all": policy([{**APPS, "apiGroups": ["*"], "resources": ["deployments"]}], WRONG),
    "all-versions": policy([{**APPS, "apiVersions": ["*"], "resources": ["deployments"]}], WRONG),
    "all-resources": policy([{**APPS, "resources": ["*"]}, *DEPLOYMENTS], WRONG),
    "parts": policy(about("pods/status", "pods/*", "*/scale"), WRONG),
    "unknown": policy([*about("nopes"), *about("pods", version="v9"), *about("pods", group="apps")], WRONG),
    "singular": policy(about("pod", "Services"), WRONG),
    "of-any-group": policy(about("events"), "object.nope == 1"),
    "many": policy(
        [
            *about(*MANY),
            *DEPLOYMENTS,
        ],
        WRONG,
    ),
    "twice-many": policy(
        [
            *about(*["pods", "services", "configmaps", "secrets"]),
            {**APPS, "resources": ["deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"]},
            *about("jobs", "cronjobs", group="batch"),
        ],
        "object.nope == 1",
    ),
    "circles": policy(
        about("customresourcedefinitions", group="apiextensions.k8s.io"),
        "object.spec.versions.all(v, v.schema.openAPIV3Schema.properties.a.type == 1)",
        "object.spec.versions.all(v, v.schema.openAPIV3Schema.items == 1)",
        "object.spec.versions.all(v, v.schema.openAPIV3Schema.nope == 1)",
        "object.spec.versions.all(v, v.schema.openAPIV3Schema.default == 1)",
    ),
    "raw": policy([{**APPS, "resources": ["controllerrevisions"]}], "object.data.x == 1", "object.data == 1", "object.revision == 'x'"),
    "claims": policy(
        [*about("persistentvolumeclaims"), *about("resourcequotas")],
        "object.spec.resources.requests.storage == '1Gi'",
        "object.spec.hard['pods'] == '1'",
        "object.status.hard.pods == 1",
    ),
    "apis": policy(
        about("apiservices", group="apiregistration.k8s.io"), "object.spec.nope == 1", "object.spec.caBundle == 'x'"
    ),
    "scaled": policy(
        about("horizontalpodautoscalers", group="autoscaling", version="v2"),
        "object.spec.metrics[0].resource.target.averageValue == '1'",
        "object.spec.behavior.scaleUp.tolerance == 0.1",
        "object.spec.maxReplicas == 1u",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def widgets(controlled: Pair) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    controlled.set_up(Ask("POST", definitions, CRD))
    controlled.await_established(f"{definitions}/{CRD['metadata']['name']}")
    controlled.await_served("/apis/checked.example.com/v1/widgets")


@pytest.mark.parametrize("name", POLICIES)
def test_policies_are_checked_against_the_types_that_they_name(controlled: Pair, widgets: None, name: str) -> None:
    called = f"{name}-{secrets.token_hex(3)}"
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": called},
        "spec": POLICIES[name],
    }
    controlled.set_up(Ask("POST", PATH, body))

    assert differences(*(_looked_at(side, called, 1) for side in (controlled.real, controlled.ours))) == []
    change = {"spec": {"validations": [{"expression": f"{WRONG} || false"}], "variables": None}}
    controlled.set_up(Ask("PATCH", f"{PATH}/{called}", change, "application/merge-patch+json"))

    assert differences(*(_looked_at(side, called, 2) for side in (controlled.real, controlled.ours))) == []
    controlled.set_up(Ask("DELETE", f"{PATH}/{called}"))


def _looked_at(side: Side, name: str, generation: int) -> Any:
    """The policy once its controller has looked at this generation."""
    until = time.monotonic() + PATIENCE
    while True:
        found = side.ask(Ask("GET", f"{PATH}/{name}"))["body"]
        if found.get("status", {}).get("observedGeneration") == generation:
            return normal(json.loads(_BY_THE_CLOCK.sub(r"\1<n>", json.dumps(found))))
        assert time.monotonic() < until, found
        time.sleep(0.05)
