"""Manifests made ready for a cluster."""

import pytest

from kilde.core.basics.errors import InvalidInput, Place
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.desired import prepare

SCOPES = {GroupKind("", "Namespace"): False, GroupKind("", "ConfigMap"): True}


def manifest(kind: str, name: str, *, namespace: str = "", line: int = 1, **annotations: str) -> Manifest:
    meta: dict[str, object] = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if annotations:
        meta["annotations"] = {key.replace("__", "/").replace("_", "-"): value for key, value in annotations.items()}
    return Manifest({"apiVersion": "v1", "kind": kind, "metadata": meta}, Place("app/all.yaml", line))


def ready(*manifests: Manifest, namespace: str = "shop") -> list[tuple[str, str]]:
    desired = prepare(manifests, app="web", namespace=namespace, scope=SCOPES.get)
    return [(str(w.ref), w.manifest.annotations["argocd.argoproj.io/tracking-id"]) for w in desired.objects]


def test_the_destination_namespace_goes_to_namespaced_objects_that_name_none() -> None:
    assert ready(
        manifest("ConfigMap", "a"), manifest("ConfigMap", "b", namespace="other"), manifest("Namespace", "n")
    ) == [
        ("ConfigMap shop/a", "web:/ConfigMap:shop/a"),
        ("ConfigMap other/b", "web:/ConfigMap:other/b"),
        ("Namespace n", "web:/Namespace:shop/n"),
    ]


def test_a_namespaced_object_without_any_namespace_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        ready(manifest("ConfigMap", "a", line=7), namespace="")
    assert str(caught.value) == (
        "app/all.yaml:7: ConfigMap a has no namespace "
        "(set metadata.namespace, or spec.destination.namespace of the application)"
    )


def test_of_several_manifests_for_one_object_the_later_counts_and_it_is_told() -> None:
    desired = prepare(
        [manifest("ConfigMap", "a", line=1), manifest("ConfigMap", "a", line=5), manifest("ConfigMap", "a", line=9)],
        app="web",
        namespace="shop",
        scope=SCOPES.get,
    )
    assert [w.manifest.origin for w in desired.objects] == [Place("app/all.yaml", 9)]
    assert desired.repeated == ("Resource /ConfigMap/shop/a appeared 3 times among application resources.",)


def test_a_kind_nobody_serves_counts_as_namespaced() -> None:
    assert ready(manifest("Gadget", "g", namespace="x"))[0][0] == "Gadget x/g"
    assert prepare([manifest("Gadget", "g")], app="web", namespace="shop", scope=SCOPES.get).refs == {
        ObjectRef("", "Gadget", "shop", "g")
    }


def test_a_definition_is_nobodys() -> None:
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x.y"}}
    [found] = prepare([Manifest(body, None)], app="web", namespace="shop", scope=lambda kind: False).objects
    assert found.manifest.body == body
