"""Facts about kinds."""

import pytest

from kilde.core.objects.kinds import apply_order, is_namespaced
from kilde.core.objects.typed.schema import VERSIONS, builtin


def test_kinds_are_applied_in_the_order_of_argo_cd() -> None:
    kinds = ["Widget", "Ingress", "Deployment", "Namespace", "ConfigMap", "Service", "StatefulSet", "Secret"]
    assert sorted(kinds, key=lambda kind: apply_order("", kind)) == [
        "Namespace",
        "Secret",
        "ConfigMap",
        "Service",
        "Deployment",
        "StatefulSet",
        "Ingress",
        "Widget",
    ]


@pytest.mark.parametrize(
    ("group", "kind", "namespaced"),
    [
        ("", "Pod", True),
        ("", "Node", False),
        ("apps", "Deployment", True),
        ("rbac.authorization.k8s.io", "ClusterRole", False),
        ("storage.k8s.io", "CSIStorageCapacity", True),
        ("example.com", "Deployment", None),
    ],
)
def test_where_a_kind_lives(group: str, kind: str, namespaced: bool | None) -> None:
    assert is_namespaced(group, kind) is namespaced


@pytest.mark.parametrize("version", VERSIONS)
def test_every_built_in_kind_has_its_scope(version: str) -> None:
    types = builtin(version)
    objects = {
        (kind.group, kind.kind)
        for kind in types.kinds
        if (node := types.node(*kind)) is not None
        and node.definition.rsplit(".", 1)[-1] == kind.kind
        and (meta := node.child("metadata")) is not None
        and meta.definition.endswith(".ObjectMeta")
    }
    assert {kind for kind in objects if is_namespaced(*kind) is None} == set()
