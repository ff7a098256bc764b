"""What people without all rights may do, and what they are told otherwise: on both servers alike."""

import json
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

_GROUP = "rbac.authorization.k8s.io"
_RBAC = f"/apis/{_GROUP}/v1"
_IN, _HERE = f"{_RBAC}/namespaces/NAMESPACE", "/api/v1/namespaces/NAMESPACE"
_REVIEWS = "/apis/authorization.k8s.io/v1"
ROLES: dict[str, list[dict[str, Any]]] = {
    "reader": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"], "resourceNames": ["a"]},
        {"apiGroups": ["apps"], "resources": ["deployments/scale", "*/status"], "verbs": ["*"]},
        {"apiGroups": ["*"], "resources": ["secrets"], "verbs": ["list"]},
    ],
    "granter": [
        {"apiGroups": [_GROUP], "resources": ["roles", "rolebindings"], "verbs": ["create", "update", "patch", "get"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    ],
}
_CLUSTER_WIDE = [{"apiGroups": [_GROUP], "resources": ["clusterrolebindings"], "verbs": ["*"]}]
RULES: list[list[dict[str, Any]]] = [
    [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "delete"]}],
    [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"], "resourceNames": ["a", "b"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ],
    [{"nonResourceURLs": ["/x"], "verbs": ["get"]}],
]
READS = [
    *(f"{_HERE}/configmaps{rest}" for rest in ("/a", "", "?fieldSelector=metadata.name%3Da", "?fieldSelector=metadata.name%3Db")),
    *(f"{_HERE}/configmaps?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3D{name}" for name in ("a", "b")),
    f"{_HERE}/configmaps?fieldSelector=metadata.name!%3Da",
    *(f"{_HERE}/secrets{rest}" for rest in ("", "/x")),
    *(f"/apis/apps/v1/namespaces/NAMESPACE/{rest}" for rest in ("deployments/d/scale", "statefulsets/d/status", "deployments/d")),
]  # fmt: skip
_SELECTORS: list[dict[str, Any]] = [
    {},
    {"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "In", "values": ["b"]}]},
    {"rawSelector": "a=b"},
]
_REFS = [
    {"apiGroup": _GROUP, "kind": kind, "name": name}
    for kind, name in (
        ("ClusterRole", "cluster-admin"),
        ("ClusterRole", "absent"),
        ("Role", "absent"),
        ("Role", "reader"),
    )
]
ASKS = [
    *(Ask("GET", path, user=user) for user in ("reader", "granter") for path in READS),
    *(Ask("POST", f"{_IN}/roles?dryRun=All", {"metadata": {"name": "new"}, "rules": rules}, user="granter") for rules in RULES),
    *(
        Ask("POST", f"{at}?dryRun=All", {"metadata": {"name": "new"}, "roleRef": ref}, user=user)
        for at, user in ((f"{_IN}/rolebindings", "granter"), (f"{_RBAC}/clusterrolebindings", "wide-NAMESPACE"))
        for ref in _REFS
    ),
    *(Ask("POST", f"{_REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "NAMESPACE"}}, user=user) for user in ("reader", "nobody")),
    *(
        Ask("POST", f"{_REVIEWS}/subjectaccessreviews", {"spec": {"user": "reader", "resourceAttributes": {"verb": "list", key: selector}}})
        for key in ("fieldSelector", "labelSelector")
        for selector in _SELECTORS
    ),
]  # fmt: skip


def test_they_are_answered_alike(pair: Pair, namespace: str) -> None:
    made = [(_IN, "role", name, name, rules) for name, rules in ROLES.items()]
    made.append((_RBAC, "clusterrole", f"wide-{namespace}", f"wide-{namespace}", _CLUSTER_WIDE))
    for at, kind, name, user, rules in made:
        plural, binding = f"{kind}s", f"{kind}bindings"
        ref = {"apiGroup": _GROUP, "kind": "Role" if kind == "role" else "ClusterRole", "name": name}
        subjects = [{"kind": "User", "name": user, "apiGroup": _GROUP}]
        bound = {"metadata": {"name": name}, "roleRef": ref, "subjects": subjects}
        pair.set_up(_in(Ask("POST", f"{at}/{plural}", {"metadata": {"name": name}, "rules": rules}), namespace))
        pair.set_up(_in(Ask("POST", f"{at}/{binding}", bound), namespace))
    pair.await_answer(_in(Ask("GET", f"{_HERE}/secrets", user="reader"), namespace), 200)
    found = []
    for number, one in enumerate(ASKS):
        real, ours = (_ordered(normal(answer)) for answer in pair.ask(_in(one, namespace)))
        found += [f"{number} {one} {one.user}: {line}" for line in differences(real, ours)]

    assert not found, "\n".join(found)


def _ordered(answer: Any) -> Any:
    """The answer with the rules of a review sorted: a real server finds them in an order of its own."""
    status = answer["body"].get("status") if isinstance(answer["body"], dict) else None
    for key in ("resourceRules", "nonResourceRules") if isinstance(status, dict) else ():
        if key in status:
            status[key] = sorted(status[key], key=json.dumps)
    return answer


def _in(ask: Ask, namespace: str) -> Ask:
    body = None if ask.body is None else json.loads(json.dumps(ask.body).replace("NAMESPACE", namespace))
    path, user = (text.replace("NAMESPACE", namespace) for text in (ask.path, ask.user))
    return Ask(ask.method, path, body, ask.media, ask.accept, user)
