"""`authorizer` in policies: both servers give the same answers about rights, refuse the same questions and count the same for them."""

import time
from typing import Any

import pytest

from differential.sides import PATIENCE, Ask, Pair
from differential.test_expressions import POLICIES

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

RBAC = "/apis/rbac.authorization.k8s.io/v1"
READER = "authorizer.serviceAccount('{namespace}', 'reader')"
PODS = f"{READER}.group('').resource('pods')"
QUESTIONS = f"""
authorizer.path('/healthz').check('get').allowed()
authorizer.path('/healthz').check('get').reason() == ''
authorizer.path(' ').check('get').allowed()
authorizer.group('apps').resource('').check('get').allowed()
authorizer.requestResource.check('delete').allowed()
authorizer.requestResource.check('delete').errored()
{READER}.path('/healthz').check('get').allowed()
{PODS}.check('get').allowed()
{PODS}.namespace('{{namespace}}').check('get').allowed()
{PODS}.namespace('{{namespace}}').check('delete').allowed()
{PODS}.namespace('{{namespace}}').check('get').reason() == ''
{PODS}.namespace('{{namespace}}').check('get').reason().startsWith('RBAC: allowed by RoleBinding "read/')
{PODS}.namespace('{{namespace}}').check('delete').reason() == ''
{PODS}.namespace('{{namespace}}').check('delete').reason().contains('not found')
{PODS}.namespace('{{namespace}}').check('delete').errored()
{PODS}.namespace('{{namespace}}').check('delete').error() == ''
{PODS}.namespace('{{namespace}}').subresource('log').check('get').allowed()
{PODS}.namespace('{{namespace}}').subresource('exec').check('get').allowed()
{PODS}.namespace('{{namespace}}').name('x').check('get').allowed()
{READER}.group('').resource('secrets').namespace('{{namespace}}').name('one').check('get').allowed()
{READER}.group('').resource('secrets').namespace('{{namespace}}').name('two').check('get').allowed()
{PODS}.namespace('{{namespace}}').fieldSelector('a=b').labelSelector('c in (d)').check('list').allowed()
{PODS}.namespace('{{namespace}}').fieldSelector('a b').labelSelector('!!').check('list').allowed()
authorizer.serviceAccount('{{namespace}}', 'nobody').group('').resource('pods').check('get').allowed()
authorizer.serviceAccount('A', 'b').group('').resource('pods').check('get').allowed()
authorizer.serviceAccount('a', 'B').group('').resource('pods').check('get').allowed()
[1].all(x, authorizer.requestResource.check('get').allowed()) && authorizer.requestResource.check('list').allowed()
[1, 2, 3].all(x, authorizer.requestResource.check('get').allowed())
authorizer.requestResource == authorizer.requestResource
type(authorizer) == type(authorizer)
""".strip().splitlines()


def asks(namespace: str) -> list[str]:
    found = [text.replace("{namespace}", namespace) for text in QUESTIONS]
    return [*found, *(f"!({text})" for text in found)]


def rights(namespace: str) -> list[Ask]:
    at = f"{RBAC}/namespaces/{namespace}"
    about = [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"], "verbs": ["get"]},
    ]
    subjects = [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}]
    group = "rbac.authorization.k8s.io"
    bindings = [
        {"metadata": {"name": name}, "roleRef": {"apiGroup": group, "kind": "Role", "name": role}, "subjects": subjects}
        for name, role in (("a-lost", "nowhere"), ("read", "reads"))
    ]
    return [
        Ask("POST", f"{at}/roles", {"metadata": {"name": "reads"}, "rules": about}),
        *(Ask("POST", f"{at}/rolebindings", one) for one in bindings),
    ]


def policies(namespace: str, kind: str, texts: list[str]) -> list[Ask]:
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    found = []
    for number, text in enumerate(texts):
        name = {"name": f"{namespace}-{number:03d}"}
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
        constraints = {**here, "resourceRules": [{**rule, "resourceNames": [name["name"]]}]}
        about: dict[str, Any] = {"matchConstraints": constraints, "failurePolicy": "Fail"}
        if kind == "validations":
            spec = {**about, "validations": [{"expression": text}]}
        else:
            conditions = [{"name": "asked", "expression": text}]
            spec = {**about, "matchConditions": conditions, "validations": [{"expression": "false"}]}
        bound = {"policyName": name["name"], "validationActions": ["Deny"]}
        found += [
            Ask("POST", f"{POLICIES}/validatingadmissionpolicies", {"metadata": name, "spec": spec}),
            Ask("POST", f"{POLICIES}/validatingadmissionpolicybindings", {"metadata": name, "spec": bound}),
        ]
    return found


@pytest.mark.parametrize("kind", ["validations", "matchConditions"])
def test_rights_are_told_alike(pair: Pair, namespace: str, kind: str) -> None:
    texts = asks(namespace) if kind == "validations" else asks(namespace)[::7]
    texts.append("false" if kind == "validations" else "true")
    pair.set_up(*rights(namespace), *policies(namespace, kind, texts))
    path = f"/api/v1/namespaces/{namespace}/configmaps?dryRun=All"
    tries = [Ask("POST", path, {"metadata": {"name": f"{namespace}-{number:03d}"}}) for number in range(len(texts))]
    until = time.monotonic() + PATIENCE
    while pair.real.ask(tries[-1])["code"] < 300:  # it learns of policies a little later
        assert time.monotonic() < until, "the policies are not seen"
        time.sleep(0.1)
    found = []
    for text, ask in zip(texts, tries, strict=True):
        real, ours = ((one["code"], one["body"].get("message")) for one in pair.ask(ask))
        found += [f"{text}: real {real}, ours {ours}"] if real != ours else []

    assert not found, "\n".join(found)
