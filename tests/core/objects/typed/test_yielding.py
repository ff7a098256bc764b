"""What trusted managers own is left to them: by schema, in maps, in lists with keys, in what is owned as a whole."""

from typing import Any

from kilde.core.objects.typed.managed_fields import apply, update
from kilde.core.objects.typed.schema import builtin
from kilde.core.objects.typed.yielding import as_live, fields_of, left_out

NODE = builtin().node("apps", "v1", "Deployment")
NOW = "2026-01-01T00:00:00Z"


def deployment(replicas: int, image: str, *, args: list[str], team: str) -> dict[str, Any]:
    containers = [{"name": "side", "image": "side:1"}, {"name": "web", "image": image, "args": args}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"team": team}},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
    }


WANTED = deployment(2, "web:1", args=["a"], team="blue")


def live(*edits: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """What we applied, after these writes, each by its manager."""
    assert NODE is not None
    body = apply(None, WANTED, node=NODE, manager="kilde", api_version="apps/v1", now=NOW).object
    for manager, new in edits:
        meta = {**new["metadata"], "managedFields": body["metadata"]["managedFields"]}
        body = update(
            body, {**new, "metadata": meta}, node=NODE, manager=manager, api_version="apps/v1", now=NOW
        ).object
    return body


def test_fields_of_trusted_managers_are_found_where_git_would_overrule_them() -> None:
    assert NODE is not None
    there = live(
        ("scaler", deployment(5, "web:1", args=["a"], team="blue")),
        ("robot", deployment(5, "web:2", args=["a", "b"], team="blue")),
        ("person", deployment(5, "web:2", args=["a", "b"], team="red")),
    )
    container = {'k:{"name":"web"}': {"f:args": {}, "f:image": {}}}
    robots = {"f:spec": {"f:template": {"f:spec": {"f:containers": container}}}}
    assert fields_of({"robot"}, there, WANTED, node=NODE) == robots
    assert fields_of({"scaler", "robot"}, there, WANTED, node=NODE) == {
        "f:spec": {"f:replicas": {}, "f:template": robots["f:spec"]["f:template"]}
    }
    assert fields_of({"nobody"}, there, WANTED, node=NODE) == {}
    assert fields_of({"kilde", "scaler"}, live(), deployment(9, "x", args=[], team="y"), node=NODE, but="kilde") == {}
    assert fields_of({"robot"}, {"metadata": {"managedFields": "?"}}, WANTED, node=NODE) == {}


def test_they_are_left_out_or_are_as_they_are_and_nothing_else_is_touched() -> None:
    assert NODE is not None
    there = live(("robot", deployment(5, "web:2", args=["a", "b"], team="red")))
    fields = fields_of({"robot"}, there, WANTED, node=NODE)
    less = left_out(WANTED, fields, node=NODE)
    assert less == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}, {"name": "web"}]}}},
    }
    assert as_live(WANTED, there, fields, node=NODE) == deployment(5, "web:2", args=["a", "b"], team="red")
    again = apply(there, less, node=NODE, manager="kilde", force=True, api_version="apps/v1", now=NOW).object
    assert again["spec"] == there["spec"], "what has an owner stays when we give it up"


def test_an_item_that_only_the_cluster_has_is_not_taken_into_the_configuration() -> None:
    assert NODE is not None
    there = live(("robot", deployment(5, "web:2", args=["a"], team="blue")))
    there["spec"]["template"]["spec"]["containers"].append({"name": "injected", "image": "i"})
    fields = fields_of({"robot"}, there, WANTED, node=NODE)
    assert as_live(WANTED, there, fields, node=NODE) == deployment(5, "web:2", args=["a"], team="blue")
