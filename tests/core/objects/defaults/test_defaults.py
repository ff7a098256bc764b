"""Defaulting: what is added, what goes, and that doing it twice adds nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.defaults.containers import image_tag
from kilde.core.objects.defaults.registry import DEFAULTS
from kilde.core.objects.typed.node import Node, Scalar
from kilde.core.objects.typed.schema import Kind, builtin
from kilde.core.objects.typed.values import same


def _made(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    made = apply_defaults({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **fields})
    return {key: value for key, value in made.items() if key not in ("apiVersion", "kind", "metadata")}


_CONTAINER = {
    "name": "c",
    "image": "i:1",
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_POD_SPEC = {
    "containers": [_CONTAINER],
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}


def test_a_deployment_is_filled() -> None:
    assert _made("apps/v1", "Deployment", spec={"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}) == {
        "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"a": "b"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": _POD_SPEC},
        },
        "status": {},
    }


def test_another_strategy_gets_no_rolling_update() -> None:
    made = _made("apps/v1", "Deployment", spec={"strategy": {"type": "Recreate"}, "template": _TEMPLATE})
    assert made["spec"]["strategy"] == {"type": "Recreate"}


def test_a_pod_gets_requests_from_limits_and_host_ports() -> None:
    container = {
        "name": "c",
        "image": "i",
        "ports": [{"containerPort": 80}],
        "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}, "requests": {"cpu": "0.1"}},
    }
    found = _made("v1", "Pod", spec={"hostNetwork": True, "containers": [container]})["spec"]["containers"][0]
    assert found["resources"] == {
        "limits": {"cpu": "500m", "memory": "1Gi"},
        "requests": {"cpu": "100m", "memory": "1Gi"},
    }
    assert found["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]
    assert found["imagePullPolicy"] == "Always"


def test_a_pods_own_resources_ask_for_what_its_containers_ask_for() -> None:
    asks = {"requests": {"cpu": "100m", "memory": "1Gi"}}
    spec = {
        "resources": {"limits": {"cpu": "1", "memory": "4Gi"}},
        "containers": [{"name": "a", "image": "i", "resources": asks}, {"name": "b", "image": "i", "resources": asks}],
    }
    assert _made("v1", "Pod", spec=spec)["spec"]["resources"]["requests"] == {"cpu": "200m", "memory": "2Gi"}


@pytest.mark.parametrize(
    ("api_version", "kind", "fields", "made"),
    [
        (
            "v1",
            "Secret",
            {"stringData": {"a": "x"}, "data": {"a": "eg==", "b": "eQ=="}},
            {"data": {"a": "eA==", "b": "eQ=="}, "type": "Opaque"},
        ),
        ("v1", "Secret", {"data": {"a": "ZWU\nZQ=="}}, {"data": {"a": "ZWUZQ=="}, "type": "Opaque"}),
        ("v1", "ConfigMap", {"data": {}, "binaryData": None, "bogus": 1}, {}),
        ("v1", "ConfigMap", {"data": {"a": None, "b": "1"}}, {"data": {"a": "", "b": "1"}}),
        ("rbac.authorization.k8s.io/v1", "Role", {}, {"rules": None}),
        ("rbac.authorization.k8s.io/v1", "Role", {"rules": []}, {"rules": []}),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            {
                "roleRef": {"kind": "Role", "name": "r"},
                "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}],
            },
            {
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
                "subjects": [
                    {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u"},
                    {"kind": "ServiceAccount", "name": "s"},
                ],
            },
        ),
        (
            "storage.k8s.io/v1",
            "StorageClass",
            {"provisioner": "p"},
            {"provisioner": "p", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
        ),
        (
            "scheduling.k8s.io/v1",
            "PriorityClass",
            {"value": 0},
            {"value": 0, "preemptionPolicy": "PreemptLowerPriority"},
        ),
        (
            "networking.k8s.io/v1",
            "NetworkPolicy",
            {"spec": {"podSelector": {}, "egress": [{}]}},
            {"spec": {"podSelector": {}, "egress": [{}], "policyTypes": ["Ingress", "Egress"]}},
        ),
        (
            "v1",
            "LimitRange",
            {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}]}},
            {
                "spec": {
                    "limits": [
                        {
                            "type": "Container",
                            "max": {"cpu": "2"},
                            "min": {"memory": "1Mi"},
                            "default": {"cpu": "2"},
                            "defaultRequest": {"cpu": "2", "memory": "1Mi"},
                        }
                    ]
                }
            },
        ),
    ],
)
def test_an_object_is_stored_so(api_version: str, kind: str, fields: Any, made: Any) -> None:
    assert _made(api_version, kind, **fields) == made


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, {"completions": 1, "parallelism": 1, "backoffLimit": 6, "podReplacementPolicy": "TerminatingOrFailed"}),
        ({"parallelism": 3}, {"completions": None, "parallelism": 3}),
        ({"completions": 3}, {"completions": 3, "parallelism": 1}),
        ({"backoffLimitPerIndex": 1}, {"backoffLimit": 2147483647}),
        ({"podFailurePolicy": {"rules": []}}, {"podReplacementPolicy": "Failed"}),
        ({"backoffLimit": 0, "suspend": True}, {"backoffLimit": 0, "suspend": True}),
    ],
)
def test_a_job_is_filled_by_what_it_says(spec: Any, expected: Any) -> None:
    made = _made("batch/v1", "Job", spec={"template": _TEMPLATE, **spec})["spec"]
    assert {key: made.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("nginx", "latest"),
        ("nginx:1.25", "1.25"),
        ("nginx:latest", "latest"),
        ("registry.example.com:5000/team/app", "latest"),
        ("registry.example.com:5000/team/app:v1", "v1"),
        ("app@sha256:" + "a" * 64, ""),
        ("app:latest@sha256:" + "a" * 64, "latest"),
        ("Not/Lower Case", ""),
        ("", ""),
    ],
)
def test_the_tag_an_image_means(image: str, tag: str) -> None:
    assert image_tag(image) == tag


def test_a_kind_that_is_not_built_in_is_left_alone() -> None:
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"a": None}}
    assert apply_defaults(obj) is obj


def test_every_default_belongs_to_a_type_of_some_version() -> None:
    known = set(builtin().names())
    assert set(DEFAULTS) - known == set()


def _values(node: Node, depth: int) -> st.SearchStrategy[Any]:
    """Values that fit a node, shallow enough to be quick."""
    if node.format == "quantity":
        return st.sampled_from(["0", "100m", "0.5", "1024Ki", "1e3"])
    if node.map is not None and node.scalar is None:
        if node.map.fields:
            names = list(node.map.fields)
            picked = st.lists(st.sampled_from(names), max_size=4 if depth else 0, unique=True)
            return picked.flatmap(
                lambda keys: st.fixed_dictionaries({k: _values(node.map.fields[k], depth - 1) for k in keys})
            )  # type: ignore[union-attr]
        others = _values(node.map.others, depth - 1) if node.map.others and depth else st.just("x")
        return st.dictionaries(st.sampled_from("ab"), others, max_size=2)
    if node.list is not None and node.scalar is None:
        return st.lists(_values(node.list.items, depth - 1), max_size=2 if depth else 0)
    if node.scalar is Scalar.NUMERIC:
        return st.integers(0, 3)
    if node.scalar is Scalar.BOOLEAN:
        return st.booleans()
    return st.sampled_from(["", "x", "ClusterIP", "RollingUpdate", "Container", "Always"])


_KINDS = sorted({Kind(*kind) for kind in builtin().kinds if kind.version in ("v1", "v2") and builtin().node(*kind)})


@given(st.data())
def test_defaulting_twice_is_defaulting_once(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(_KINDS))
    node = builtin().node(*kind)
    assert node is not None
    body = data.draw(_values(node, 5))
    body = body if isinstance(body, dict) else {}
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    obj = {**body, "apiVersion": version, "kind": kind.kind}
    before = repr(obj)
    once = apply_defaults(obj)
    assert repr(obj) == before
    assert same(apply_defaults(once), once)
