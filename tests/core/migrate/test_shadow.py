"""Two statuses beside each other: which fields agree, which do not, and what of each is compared at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from kilde.core.migrate.shadow import AppShadow, Field, compared

STATUS: dict[str, Any] = {
    "sync": {"status": "Synced", "revision": "a" * 40},
    "health": {"status": "Healthy", "lastTransitionTime": "2026-01-01T00:00:00Z"},
    "resources": [
        {"version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "config", "status": "Synced"},
        {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
            "status": "Synced",
        },
        {"version": "v1", "kind": "Namespace", "name": "shop", "status": "Synced"},
    ],
    "summary": {"images": ["nginx:1.29"]},
    "sourceType": "Kustomize",
    "reconciledAt": "2026-01-01T00:00:00Z",
}


def differing(**changed: Any) -> list[Field]:
    return [field for field in compared(STATUS, {**STATUS, **changed}) if not field.agrees]


def test_all_that_is_compared() -> None:
    later = {**STATUS, "reconciledAt": "2026-02-02T00:00:00Z"}
    later["health"] = {"status": "Healthy", "lastTransitionTime": "2026-02-02T00:00:00Z"}
    fields = compared(STATUS, later)
    assert all(field.agrees for field in fields)
    assert [field.name for field in fields] == [
        "sync.status",
        "sync.revision",
        "health.status",
        "sourceType",
        "summary.images",
        "resources[ConfigMap shop/config]",
        "resources[Namespace shop]",
        "resources[apps/Deployment shop/web]",
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sync": {"status": "OutOfSync", "revision": "a" * 40}}, [("sync.status", "Synced", "OutOfSync")]),
        ({"health": {"status": "Degraded"}}, [("health.status", "Healthy", "Degraded")]),
        ({"resources": STATUS["resources"][:2]}, [("resources[Namespace shop]", "listed", "(none)")]),
        (
            {"resources": [{**STATUS["resources"][0], "requiresPruning": True}, *STATUS["resources"][1:]]},
            [("resources[ConfigMap shop/config].requiresPruning", "(none)", "True")],
        ),
        ({"conditions": [{"type": "SyncError", "message": "x"}]}, [("conditions", "(none)", "SyncError")]),
        ({"conditions": [{"type": "DeletionHeldWarning", "message": "x"}]}, []),  # Argo CD has no word for it
        ({"summary": {}}, [("summary.images", "nginx:1.29", "(none)")]),
    ],
)
def test_what_differs(changed: dict[str, Any], told: list[tuple[str, str, str]]) -> None:
    assert [(field.name, field.theirs, field.ours) for field in differing(**changed)] == told


def test_images_of_pods_that_are_not_in_git_are_known_by_their_templates() -> None:
    fields = compared(STATUS, {**STATUS, "summary": {}}, images=["nginx:1.29"])
    assert all(field.agrees for field in fields)


def test_images_of_templates_whose_pods_are_not_there_are_no_difference() -> None:
    fields = compared({**STATUS, "summary": {}}, {**STATUS, "summary": {}}, images=["nginx:1.29"])
    assert all(field.agrees for field in fields)


def test_who_was_not_compared_does_not_agree() -> None:
    assert not AppShadow(name="shop", silent="it is being deleted").agrees


@pytest.mark.parametrize("broken", [{}, {"resources": "x"}, {"resources": [1, {}]}, {"sync": []}, {"summary": []}])
def test_statuses_of_any_shape_are_compared(broken: dict[str, Any]) -> None:
    assert compared(broken, STATUS)


def test_every_recorded_status_agrees_with_itself_and_not_with_another(shared: Path) -> None:
    statuses = []
    for file in sorted((shared / "conformance/argocd/expected").glob("*.json")):
        _collect(json.loads(file.read_text()), statuses)
    assert len(statuses) > 90
    for status in statuses:
        fields = compared(status, status)
        assert all(field.agrees for field in fields)
        assert len(fields) >= len(status.get("resources") or ())
        assert [one.name for one in compared(status, {**status, "sync": {"status": "?"}}) if not one.agrees]


def _collect(value: Any, statuses: list[dict[str, Any]]) -> None:
    if isinstance(value, dict):
        if isinstance(value.get("status"), dict) and "sync" in value["status"]:
            statuses.append(value["status"])
        for one in value.values():
            _collect(one, statuses)
    elif isinstance(value, list):
        for one in value:
            _collect(one, statuses)
