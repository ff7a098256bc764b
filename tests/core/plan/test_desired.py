"""Manifests made ready for a cluster."""

from typing import Any

import pytest

from kilde.core.basics.errors import InvalidInput, Place
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.desired import Desired, prepare
from kilde.core.plan.tracking import Tracking

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


def test_of_an_object_and_hooks_of_one_name_the_last_counts_unless_it_is_yet_to_be_named() -> None:
    def hook(name: str, line: int) -> Manifest:
        return manifest("ConfigMap", name, line=line, **{"argocd.argoproj.io/hook": "PreSync"})

    def prepared(*manifests: Manifest) -> tuple[list[int], list[int], tuple[str, ...]]:
        found = prepare(manifests, app="web", namespace="shop", scope=SCOPES.get)
        objects, hooks = (
            [one.manifest.origin.line for one in some if one.manifest.origin] for some in (found.objects, found.hooks)
        )
        return objects, hooks, found.repeated

    twice = ("Resource /ConfigMap/shop/a appeared 2 times among application resources.",)
    assert prepared(hook("a", 1), hook("a", 2)) == ([], [2], twice)
    assert prepared(hook("a", 1), manifest("ConfigMap", "a", line=2)) == ([2], [], twice)
    assert prepared(manifest("ConfigMap", "a", line=1), hook("a", 2)) == ([], [2], twice)
    named = [
        Manifest({**one.body, "metadata": {**one.metadata, "name": None, "generateName": "g-"}}, one.origin)
        for one in (hook("", 1), hook("", 2))
    ]
    assert prepared(*named) == ([], [1, 2], ())


def test_a_kind_nobody_serves_counts_as_namespaced() -> None:
    assert ready(manifest("Gadget", "g", namespace="x"))[0][0] == "Gadget x/g"
    assert prepare([manifest("Gadget", "g")], app="web", namespace="shop", scope=SCOPES.get).refs == {
        ObjectRef("", "Gadget", "shop", "g")
    }


def test_a_definition_is_nobodys() -> None:
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x.y"}}
    [found] = prepare([Manifest(body, None)], app="web", namespace="shop", scope=lambda kind: False).objects
    assert found.manifest.body == body


def misread(metadata: Any, kind: str = "ConfigMap", *, method: str = "annotation", lenient: bool = True) -> Desired:
    body = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    tracking = Tracking(method=method)
    origin = Place("app/all.yaml", 3)
    return prepare(
        [Manifest(body, origin)], app="web", namespace="shop", scope=SCOPES.get, tracking=tracking, lenient=lenient
    )


_NUMBER = 'unable to decode "app/all.yaml:3": json: cannot unmarshal number into Go struct field ObjectMeta.metadata.{} of type string'
_NO_NAME = "resource name may not be empty"


@pytest.mark.parametrize(
    ("metadata", "name", "fault"),
    [
        ({"name": 12}, "", _NUMBER.format("name")),
        ({"name": "a", "labels": {"v": 1}}, "a", _NUMBER.format("labels")),
        ({"name": "a", "labels": {"v": None}}, "a", ""),
        ({"name": "a", "generateName": 1}, "a", _NUMBER.format("generateName")),
        ({"name": "a", "namespace": 12}, "a", ""),
        ({"generateName": "a-"}, "", "from a-: cannot use generate name with apply"),
        ({}, "", _NO_NAME),
    ],
)
def test_an_object_that_kubectl_cannot_decode_is_wanted_and_known_not_to_go(
    metadata: Any, name: str, fault: str
) -> None:
    [found] = misread(metadata).objects
    assert (found.ref, found.fault) == (ObjectRef("", "ConfigMap", "shop", name), fault)
    assert found.manifest.annotations == {"argocd.argoproj.io/tracking-id": f"web:/ConfigMap:shop/{name}"}


def test_metadata_that_is_null_takes_no_namespace() -> None:
    desired = misread(None)
    assert desired.homeless == ("Namespace for  /v1, Kind=ConfigMap is missing.",)


def test_of_a_role_all_is_read_before_a_cluster_is_asked() -> None:
    meta = {"name": "r", "labels": ["v"]}
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "r"},
        "rules": [{"verbs": "get"}],
    }
    place = Place("app/all.yaml", 3)
    manifests = [
        Manifest(body, place),
        Manifest({**body, "metadata": meta}, place),
        Manifest({**body, "metadata": {}, "rules": []}),
    ]
    desired = prepare(manifests, app="web", namespace="shop", scope=lambda kind: True, lenient=True)
    what = "error running kubectl auth reconcile: "
    json = f'{what}unable to decode "app/all.yaml:3": json: cannot unmarshal'
    # `map[...]` is taken out of whatever kubectl says
    assert {one.ref.name: one.fault for one in desired.objects} == {
        "r": f"{json} array into Go struct field ObjectMeta.metadata.labels of type string",
        "": f"{what}resource name may not be empty",
    }
    [first] = prepare(manifests[:1], app="web", namespace="shop", scope=lambda kind: True, lenient=True).objects
    assert first.fault == f"{json} string into Go struct field PolicyRule.rules.verbs of type []string"


@pytest.mark.parametrize("metadata", [{}, {"name": True}])
def test_a_hook_gets_its_name_later(metadata: dict[str, Any]) -> None:
    [hook] = misread({**metadata, "annotations": {"argocd.argoproj.io/hook": "PreSync"}}).hooks
    assert (hook.ref.name, hook.fault) == ("", "")


@pytest.mark.parametrize(
    ("method", "metadata", "told"),
    [
        ("annotation", {"annotations": {"v": 1}}, "metadata.annotations.v: must be a string (quote it)"),
        ("annotation", {"annotations": {"v": None}}, 'metadata.annotations.v: must be a string (write "" for nothing)'),
        ("annotation", {"annotations": ["v"]}, "metadata.annotations: must be a map of strings"),
        ("label", {"labels": {"v": 1}}, "metadata.labels.v: must be a string (quote it)"),
        ("annotation+label", {"labels": {"v": 1}}, "metadata.labels.v: must be a string (quote it)"),
        ("label", ["v"], "metadata: must be a map"),
    ],
)
def test_what_keeps_the_mark_from_being_set_is_refused(method: str, metadata: Any, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        misread(metadata, method=method)
    assert str(caught.value) == f"app/all.yaml:3: {told}"


def test_by_labels_an_annotation_that_is_no_text_is_in_nobodys_way() -> None:
    metadata = {"name": "a", "annotations": {"v": 1, "argocd.argoproj.io/sync-wave": "3"}}
    [found] = misread(metadata, method="label").objects
    assert (found.fault, found.wave) == (_NUMBER.format("annotations"), 0)


@pytest.mark.parametrize(
    "metadata", [{"name": 12}, {"name": "a", "labels": {"v": 1}}, {"name": "a", "namespace": 1}, {}, None]
)
def test_for_people_each_mistake_is_an_error(metadata: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^app/all\.yaml:3: "):
        misread(metadata, lenient=False)
