"""Reading Applications, and taking in newer versions of them."""

from typing import Any

import pytest

from kilde.core.apps.application import read_application, renewed

SPEC = {
    "source": {"repoURL": "https://git.example/x.git", "path": "app"},
    "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
}


def manifest(version: str, **more: Any) -> dict[str, Any]:
    meta = {"name": "shop", "namespace": "argocd", "resourceVersion": version, **more.pop("metadata", {})}
    return {"metadata": meta, "spec": SPEC, **more}


@pytest.mark.parametrize(
    "newer",
    [
        manifest("2", status={"sync": {"status": "Synced"}}),
        manifest("2", operation={"sync": {"prune": True}, "initiatedBy": {"username": "ann"}}),
        manifest(
            "2", metadata={"uid": "other", "generation": 3, "annotations": {"argocd.argoproj.io/refresh": "hard"}}
        ),
        manifest("2", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b"]}),
        manifest("2"),
    ],
)
def test_a_newer_version_with_the_same_spec_is_what_reading_all_of_it_gives(newer: dict[str, Any]) -> None:
    before = read_application(manifest("1", status={"old": True}, operation={"sync": {}}, metadata={"uid": "u"}))
    assert renewed(before, newer) == read_application(newer)


SEVERAL = {
    "source": None,
    "sources": [{"repoURL": "u", "path": "a", "targetRevision": "v1"}, {"repoURL": "u", "path": "b"}],
}


@pytest.mark.parametrize(
    ("spec", "sync", "revisions"),
    [
        ({}, {}, ()),
        ({}, {"revision": "x"}, ("x",)),
        ({}, {"revisions": ["x"]}, ()),
        ({}, {"revisions": ["x", "y"], **SEVERAL}, ("x", "y")),
        (SEVERAL, {"revision": "x"}, ()),
        (SEVERAL, {"revisions": ["x"]}, ()),
        (SEVERAL, {"revisions": ["x", "y"]}, ("x", "y")),
        (SEVERAL, {"revisions": ["", ""]}, ("v1", "HEAD")),
        (SEVERAL, {"revision": "x", "source": SPEC["source"]}, ("x",)),
    ],
)
def test_an_operation_names_a_revision_for_each_source_or_for_none(
    spec: dict[str, Any], sync: dict[str, Any], revisions: tuple[str, ...]
) -> None:
    raw = {**manifest("1"), "spec": {**SPEC, **spec}}
    asked = {**raw, "operation": {"sync": sync}}
    operation = read_application(asked).operation
    assert operation is not None
    assert (operation.revisions, operation.problem) == (revisions, "")
    assert renewed(read_application(raw), asked).operation == operation
