"""Types of built-in kinds in every packed version, and of custom resources."""

from typing import Any

import pytest

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.typed.go_values import zero_object
from kilde.core.objects.typed.node import DEDUCED, Node, Scalar
from kilde.core.objects.typed.schema import VERSIONS, builtin, from_openapi, nearest


def _node(group: str, version: str, kind: str) -> Node:
    found = builtin().node(group, version, kind)
    assert found is not None
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_its_kinds_and_all_of_them_can_be_read(version: str) -> None:
    types = builtin(version)
    assert types.node("apps", "v1", "Deployment") is not None
    assert types.node("apps", "v1", "Nonsense") is None
    for name in set(types.kinds.values()):
        assert types.named(name).definition == name


def test_versions_differ_where_kubernetes_differs() -> None:
    assert builtin("1.27").node("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy") is None
    assert builtin("1.30").node("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy") is not None


@pytest.mark.parametrize(
    ("asked", "known"),
    [("1.36", "1.36"), ("v1.36.3", "1.36"), ("1.99", VERSIONS[-1]), ("1.20", VERSIONS[0]), ("1.31+", "1.31")],
)
def test_the_nearest_version_that_is_not_newer_is_taken(asked: str, known: str) -> None:
    assert nearest(asked) == known


@pytest.mark.parametrize("asked", ["", "1", "x.y", "latest"])
def test_what_is_no_version_is_refused(asked: str) -> None:
    with pytest.raises(InvalidInput):
        nearest(asked)


@pytest.mark.parametrize(
    ("path", "atomic", "keys"),
    [
        ("spec template spec containers", False, ("name",)),
        ("spec template spec containers [] ports", False, ("containerPort", "protocol")),
        ("spec template spec containers [] env", False, ("name",)),
        ("spec template spec containers [] volumeMounts", False, ("mountPath",)),
        ("spec template spec containers [] args", True, ()),
        ("spec template spec tolerations", True, ()),
        ("spec template spec imagePullSecrets", False, ("name",)),
        ("spec template spec topologySpreadConstraints", False, ("topologyKey", "whenUnsatisfiable")),
        ("metadata finalizers", False, ()),
        ("metadata ownerReferences", False, ("uid",)),
        ("status conditions", False, ("type",)),
    ],
)
def test_lists_of_a_deployment_merge_as_the_server_says(path: str, atomic: bool, keys: tuple[str, ...]) -> None:
    found = _node("apps", "v1", "Deployment").at(*path.split())
    assert found is not None
    assert found.list is not None
    assert (found.list.atomic, found.list.keys) == (atomic, keys)


@pytest.mark.parametrize("path", ["spec selector", "spec template spec nodeSelector", "metadata ownerReferences []"])
def test_maps_that_are_one_value(path: str) -> None:
    found = _node("apps", "v1", "Deployment").at(*path.split())
    assert found is not None
    assert found.map is not None
    assert found.map.atomic


def test_keys_that_may_be_left_out_have_their_default() -> None:
    ports = _node("", "v1", "Service").at("spec", "ports")
    assert ports is not None
    assert ports.list is not None
    assert ports.list.defaults == {"port": 0, "protocol": "TCP"}


@pytest.mark.parametrize(
    ("path", "scalar", "form"),
    [
        ("spec replicas", Scalar.NUMERIC, "int32"),
        ("spec paused", Scalar.BOOLEAN, ""),
        ("spec strategy type", Scalar.STRING, ""),
        ("spec strategy rollingUpdate maxSurge", Scalar.UNTYPED, "int-or-string"),
        ("metadata creationTimestamp", Scalar.UNTYPED, "date-time"),
        ("spec template spec overhead cpu", Scalar.UNTYPED, "quantity"),
    ],
)
def test_scalars_of_a_deployment(path: str, scalar: Scalar, form: str) -> None:
    found = _node("apps", "v1", "Deployment").at(*path.split())
    assert found is not None
    assert (found.scalar, found.format) == (scalar, form)


@pytest.mark.parametrize(
    ("kind", "zero"),
    [
        (("", "v1", "ConfigMap"), {"metadata": {}}),
        (("rbac.authorization.k8s.io", "v1", "Role"), {"metadata": {}, "rules": None}),
        (
            ("apps", "v1", "Deployment"),
            {
                "metadata": {},
                "spec": {"selector": None, "strategy": {}, "template": {"metadata": {}, "spec": {"containers": None}}},
                "status": {},
            },
        ),
    ],
)
def test_an_empty_object_is_what_go_writes(kind: tuple[str, str, str], zero: Any) -> None:
    assert zero_object(_node(*kind)) == zero


def test_a_custom_resource_without_a_schema_is_deduced() -> None:
    assert from_openapi(None) is DEDUCED
    assert from_openapi({}) is DEDUCED


def test_a_custom_resource_has_the_metadata_of_every_object() -> None:
    labels = from_openapi({"type": "object"}).at("metadata", "labels")
    assert labels is not None
    assert labels.map is not None


def test_unknown_fields_are_deduced_where_they_are_preserved_and_inside() -> None:
    schema = {
        "type": "object",
        "properties": {
            "open": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {"inside": {"type": "object", "properties": {"a": {"type": "string"}}}},
            },
            "shut": {"type": "object", "properties": {"a": {"type": "string"}}},
        },
    }
    node = from_openapi(schema)
    assert node.at("open", "whatever") is DEDUCED
    assert node.at("open", "inside", "whatever") is DEDUCED
    assert node.at("shut", "whatever") is None


def test_an_embedded_resource_has_metadata_of_its_own() -> None:
    node = from_openapi(
        {
            "type": "object",
            "properties": {
                "template": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"a": {}}}
            },
        }
    )
    assert node.at("template", "metadata", "ownerReferences") is not None


def test_a_schema_as_deep_as_nobody_writes_it_is_refused() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(300):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(InvalidInput, match="nested too deeply"):
        from_openapi(schema)


def test_a_schema_that_holds_itself_can_be_read() -> None:
    schema = _node("apiextensions.k8s.io", "v1", "CustomResourceDefinition").at(
        "spec", "versions", "[]", "schema", "openAPIV3Schema"
    )
    assert schema is not None
    assert schema.at("not", "not", "not") is schema.at("not")
