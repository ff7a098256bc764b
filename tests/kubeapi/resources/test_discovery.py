"""Discovery documents, compared whole with those of a real server where its recordings are at hand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kilde.kubeapi.resources.catalog import Catalog, version_priority
from kilde.kubeapi.resources.discovery import V2, V2_BETA1, Discovery, Document
from kilde.kubeapi.resources.kinds import BUILTIN, Resource, scale, status

RECORDINGS = Path(__file__).parents[3].parent / "shared" / "conformance" / "apiserver"
needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings (../shared/conformance) are not here"
)

WIDGETS = Resource(
    "example.com",
    "v1",
    "widgets",
    "widget",
    "Widget",
    namespaced=True,
    short_names=("wd",),
    sub_resources=(status("Widget"), scale()),
    custom=True,
)


def read(document: Document | None) -> Any:
    assert document is not None
    return json.loads(document.body)


def flattened(discovery: Discovery) -> Iterator[dict[str, Any]]:
    """Every entry of every APIResourceList, in the form of the recording."""
    for group in ("", *discovery.catalog.groups):
        for version in discovery.catalog.versions(group):
            for entry in read(discovery.resources(group, version))["resources"]:
                row = {"group": group, "version": version, "resource": entry["name"]}
                row |= {
                    key: entry[key]
                    for key in ("kind", "namespaced", "verbs", "shortNames", "categories")
                    if key in entry
                }
                if "group" in entry:
                    row["bodyGroupVersion"] = f"{entry['group']}/{entry['version']}"
                if entry["singularName"]:
                    row["singular"] = entry["singularName"]
                yield row


@needs_recordings
def test_every_built_in_resource_is_described_as_by_a_real_server() -> None:
    recorded = json.loads((RECORDINGS / "discovery.json").read_text())
    assert list(flattened(Discovery(Catalog()))) == recorded["resources"]
    assert list(Catalog().groups) == recorded["groupOrder"]


def test_a_group_says_its_versions_and_the_preferred_one() -> None:
    assert read(Discovery(Catalog()).group("autoscaling")) == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": "autoscaling",
        "versions": [
            {"groupVersion": "autoscaling/v2", "version": "v2"},
            {"groupVersion": "autoscaling/v1", "version": "v1"},
        ],
        "preferredVersion": {"groupVersion": "autoscaling/v2", "version": "v2"},
    }


@pytest.mark.parametrize("group", ["", "example.com"])
def test_a_group_that_is_not_served_has_no_document(group: str) -> None:
    assert Discovery(Catalog()).group(group) is None


def test_a_version_that_is_not_served_has_no_document() -> None:
    assert Discovery(Catalog()).resources("apps", "v1beta1") is None


def test_the_aggregated_document_of_the_core_group_holds_nothing_else() -> None:
    found = read(Discovery(Catalog()).aggregated(V2, core=True))
    assert found["apiVersion"] == "apidiscovery.k8s.io/v2"
    assert [group["metadata"] for group in found["items"]] == [{}]
    assert [version["version"] for version in found["items"][0]["versions"]] == ["v1"]


def test_v2beta1_is_answered_in_v2beta1() -> None:
    document = Discovery(Catalog()).aggregated(V2_BETA1, core=False)
    assert document.content_type == V2_BETA1
    assert read(document)["apiVersion"] == "apidiscovery.k8s.io/v2beta1"


def test_a_custom_resource_joins_after_the_built_in_groups() -> None:
    found = read(Discovery(Catalog([WIDGETS])).aggregated(V2, core=False))["items"][-1]
    own = {"group": "example.com", "version": "v1", "kind": "Widget"}
    assert found == {
        "metadata": {"name": "example.com"},
        "versions": [
            {
                "version": "v1",
                "resources": [
                    {
                        "resource": "widgets",
                        "responseKind": own,
                        "scope": "Namespaced",
                        "singularResource": "widget",
                        "verbs": ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
                        "shortNames": ["wd"],
                        "subresources": [
                            {"subresource": "status", "responseKind": own, "verbs": ["get", "patch", "update"]},
                            {
                                "subresource": "scale",
                                "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                                "verbs": ["get", "patch", "update"],
                            },
                        ],
                    }
                ],
                "freshness": "Current",
            }
        ],
    }


def test_equal_catalogs_have_equal_etags_and_a_new_crd_changes_them() -> None:
    first, again, other = (Discovery(Catalog(custom)).groups.etag for custom in ([], [], [WIDGETS]))
    assert first == again != other


def test_the_storage_hash_is_the_one_every_cluster_shows() -> None:
    pods = next(row for row in read(Discovery(Catalog()).resources("", "v1"))["resources"] if row["name"] == "pods")
    assert pods["storageVersionHash"] == "xPOwRZ+Yhw8="


def test_versions_are_preferred_as_kubernetes_does() -> None:
    versions = ["foo1", "v1alpha1", "v1", "v2beta1", "v10", "v2alpha2", "v2", "v0"]
    assert sorted(versions, key=version_priority) == [
        "v10",
        "v2",
        "v1",
        "v2beta1",
        "v2alpha2",
        "v1alpha1",
        "foo1",
        "v0",
    ]


def test_no_two_built_in_resources_share_a_path_or_a_kind() -> None:
    assert len({(r.group, r.version, r.plural) for r in BUILTIN}) == len(BUILTIN)
    assert len({(r.group, r.version, r.kind) for r in BUILTIN}) == len(BUILTIN)
