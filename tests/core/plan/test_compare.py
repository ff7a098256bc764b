"""Desired against live, without a server: what an apply would change."""

from typing import Any

import pytest

from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.typed.managed_fields import apply, update
from kilde.core.objects.typed.schema import builtin
from kilde.core.plan.compare import MANAGER, Comparison, compare
from kilde.core.plan.diff_text import unified

NOW = "2026-01-01T00:00:00Z"


def stored(wanted: dict[str, Any]) -> dict[str, Any]:
    """What a server holds after Kilde applied it."""
    node = _node(wanted)
    made = apply(None, wanted, node=node, manager=MANAGER, force=True, api_version=wanted["apiVersion"], now=NOW).object
    return apply_defaults(made)


def edited(live: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What it holds after somebody's edit."""
    defaulted = apply_defaults(new)
    return update(
        live, defaulted, node=_node(live), manager="kubectl-edit", api_version=live["apiVersion"], now=NOW
    ).object


def _node(body: dict[str, Any]) -> Any:
    group, _, version = body["apiVersion"].rpartition("/")
    return builtin().node(group, version, body["kind"])


def judged(wanted: dict[str, Any], live: dict[str, Any], **more: Any) -> Comparison:
    return compare(wanted, live, node=_node(wanted), **more)


def deployment(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "image": "nginx",
                            "ports": [{"containerPort": 80}],
                            "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
                        }
                    ]
                },
            },
            **spec,
        },
    }


OBJECTS = [
    deployment(),
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "shop"},
        "stringData": {"password": "hunter2"},
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "n", "namespace": "shop"},
        "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]},
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "r", "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "ann"}],
    },
    {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "j", "namespace": "shop"},
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {
                "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}
            },
        },
    },
]


@pytest.mark.parametrize("wanted", OBJECTS, ids=lambda body: body["kind"])
def test_what_the_server_made_of_an_object_is_no_difference(wanted: dict[str, Any]) -> None:
    assert judged(wanted, stored(wanted)) == Comparison(True, predicted=judged(wanted, stored(wanted)).predicted)


def test_null_that_a_server_keeps_for_an_empty_list_is_no_difference() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": []}
    assert judged(role, {**stored(role), "rules": None}).in_sync
    assert not judged(
        role, {**stored(role), "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    ).in_sync


def test_an_edit_of_a_field_git_owns_is_named_with_its_writer() -> None:
    live = stored(deployment())
    found = judged(deployment(), edited(live, {**live, "spec": {**live["spec"], "replicas": 7}}))
    assert [(f.path, f.live, f.wanted, f.why, str(f.owner)) for f in found.fields] == [
        ("spec.replicas", 7, 2, "differs from Git", f"kubectl-edit at {NOW}")
    ]


def test_a_field_nobody_in_git_names_is_no_difference() -> None:
    live = stored(deployment())
    spec = {**live["spec"], "minReadySeconds": 5}
    labels = {**live["metadata"], "labels": {"by": "hand"}}
    assert judged(deployment(), edited(live, {**live, "metadata": labels, "spec": spec})).in_sync


def test_a_field_that_left_git_is_one() -> None:
    live = stored(deployment(minReadySeconds=5))
    assert [(f.path, f.why) for f in judged(deployment(), live).fields] == [
        ("spec.minReadySeconds", "no longer in Git")
    ]


def test_a_foreign_container_stays_and_a_changed_image_does_not() -> None:
    live = stored(deployment())
    pod = live["spec"]["template"]["spec"]
    containers = [{**pod["containers"][0], "image": "evil"}, {"name": "sidecar", "image": "s"}]
    template = {**live["spec"]["template"], "spec": {**pod, "containers": containers}}
    found = judged(deployment(), edited(live, {**live, "spec": {**live["spec"], "template": template}}))
    assert [f.path for f in found.fields] == ["spec.template.spec.containers[name=c].image"]


def test_ignored_pointers_and_managers_are_left_out() -> None:
    live = stored(deployment())
    touched = edited(live, {**live, "spec": {**live["spec"], "replicas": 7}})
    assert judged(deployment(), touched, pointers=[("spec", "replicas")]).in_sync
    assert judged(deployment(), touched, managers=frozenset({"kubectl-edit"})).in_sync


def test_a_secrets_values_are_shown_neither_as_fields_nor_as_a_diff() -> None:
    wanted = OBJECTS[2]
    live = stored(wanted)
    touched = edited(live, {**live, "data": {"password": "Y2FuYXJ5"}})
    found = judged(wanted, touched)
    assert [(f.path, repr(f.live), repr(f.wanted)) for f in found.fields] == [("data.password", "********", "********")]
    text = unified("s", touched, found.predicted, write=repr)
    assert "canary" not in text
    assert "Y2FuYXJ5" not in text
    assert "aHVudGVyMg" not in text


def test_an_object_that_does_not_fit_its_type_says_so() -> None:
    wanted = deployment(replica=3)
    found = judged(wanted, stored(deployment()))
    assert not found.in_sync
    assert ".spec.replica: field not declared in schema" in found.problem
