"""Admission webhooks: both servers ask the same webhook the same, and make the same of its answers."""

from typing import Any

import pytest

from differential.hooks import MUTATING, VALIDATING, Hook, compared, within
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

CREATE = Ask("POST", "/configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}})
LABELLED = Ask("POST", "/configmaps", {"metadata": {"name": "b", "labels": {"a": "b"}}})
DELETE = Ask("DELETE", "/configmaps/a")
DRY = Ask("POST", "/configmaps?dryRun=All", {"metadata": {"name": "d"}})
PUT = Ask("PUT", "/configmaps/a?fieldManager=me", {"metadata": {"name": "a"}, "data": {"k": "w"}})
NOT_ON_DELETE = [{"name": "m", "expression": "request.operation != 'DELETE'"}]
BROKEN = [{"name": "m", "expression": "object.nope.x == 1"}]
AGAIN = {"reinvocationPolicy": "IfNeeded"}

CASES: dict[str, tuple[str, list[tuple[str, dict[str, Any]]], list[Ask]]] = {
    "denied": (VALIDATING, [("/deny", {})], [CREATE]),
    "denied without a word": (VALIDATING, [("/deny-silently", {})], [CREATE]),
    "warned": (VALIDATING, [("/warn", {})], [CREATE, PUT, DELETE]),
    "changed": (MUTATING, [("/count", {})], [CREATE, PUT, DELETE]),
    "shown again": (MUTATING, [("/count", AGAIN), ("/count", {})], [CREATE]),
    "both shown again": (MUTATING, [("/count", AGAIN), ("/count", AGAIN)], [CREATE]),
    "another answer's uid": (VALIDATING, [("/other-uid", {})], [CREATE]),
    "a validating one that changes": (VALIDATING, [("/count", {})], [CREATE]),
    "too slow": (VALIDATING, [("/slow", {})], [CREATE]),
    "too slow, ignored": (MUTATING, [("/slow", {"failurePolicy": "Ignore"})], [CREATE]),
    "a server error": (VALIDATING, [("/broken", {})], [CREATE]),
    "a wrong path": (VALIDATING, [("/missing", {})], [CREATE]),
    "no JSON": (VALIDATING, [("/no-json", {})], [CREATE]),
    "no response": (VALIDATING, [("/no-response", {})], [CREATE]),
    "a patch that is none": (MUTATING, [("/no-json-patch", {})], [CREATE]),
    "a dry run": (VALIDATING, [("/warn", {"sideEffects": "NoneOnDryRun"})], [DRY]),
    "a condition": (VALIDATING, [("/deny", {"matchConditions": NOT_ON_DELETE})], [DELETE, CREATE]),
    "a broken condition": (VALIDATING, [("/warn", {"matchConditions": BROKEN})], [CREATE]),
    "labels": (VALIDATING, [("/deny", {"objectSelector": {"matchLabels": {"a": "b"}}})], [CREATE, LABELLED]),
    "no such service": (
        VALIDATING,
        [("", {"clientConfig": {"service": {"namespace": "default", "name": "absent", "path": "/x"}}})],
        [CREATE],
    ),
    "nobody listens": (VALIDATING, [("", {"clientConfig": {"url": "https://127.0.0.1:1/x"}})], [CREATE]),
}


POD = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "i"}], "tolerations": []},
}
BIND = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
EVICT = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
IN_DRY = {"deleteOptions": {"dryRun": ["All"]}}
ON_SUB_RESOURCES = [
    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": [each]}
    for each in ("pods", "pods/binding", "pods/eviction", "bindings")
]
SUB_RESOURCES: dict[str, tuple[str, str, list[Ask]]] = {
    "a binding is shown": (
        VALIDATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/binding", BIND), Ask("GET", "/pods/p")],
    ),
    "a binding is denied": (
        VALIDATING,
        "/deny-bindings",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/binding", BIND), Ask("GET", "/pods/p")],
    ),
    "an old binding is shown": (
        VALIDATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/bindings", BIND)],
    ),
    "a binding is changed": (
        MUTATING,
        "/count",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/binding", BIND), Ask("GET", "/pods/p")],
    ),
    "an eviction is shown, its deletion is not": (
        VALIDATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/eviction", EVICT), Ask("GET", "/pods/p")],
    ),
    "an eviction is denied": (
        VALIDATING,
        "/deny-evictions",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/eviction", EVICT), Ask("GET", "/pods/p")],
    ),
    "an eviction on trial": (
        MUTATING,
        "/warn",
        [Ask("POST", "/pods", POD), Ask("POST", "/pods/p/eviction", {**EVICT, **IN_DRY}), Ask("GET", "/pods/p")],
    ),
}


@pytest.mark.parametrize("case", SUB_RESOURCES)
def test_bindings_and_evictions_are_shown_alike(pair: Pair, namespace: str, hook: Hook, case: str) -> None:
    kind, path, asks = SUB_RESOURCES[case]
    webhook = {"clientConfig": hook.client(path), "rules": ON_SUB_RESOURCES}
    found = compared(pair, hook, namespace, kind, [webhook], [within(namespace, ask) for ask in asks])

    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", CASES)
def test_a_webhook_is_asked_and_obeyed_alike(pair: Pair, namespace: str, hook: Hook, case: str) -> None:
    kind, webhooks, asks = CASES[case]
    made = [{"clientConfig": hook.client(path), **more} for path, more in webhooks]
    found = compared(pair, hook, namespace, kind, made, [within(namespace, ask) for ask in asks])

    assert not found, "\n".join(found)
