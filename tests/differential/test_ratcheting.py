"""Rules that a CRD gets when its objects are there: both servers refuse what breaks them anew, and warn of what broke them before."""

from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = "application/merge-patch+json"
PATCHES: tuple[dict[str, Any], ...] = (
    {"metadata": {"labels": {"a": "b"}}},
    {"spec": {"flag": 1}},
    {"spec": {"b": 9}},
    {"spec": {"b": 9, "l": ["x"]}},
    {"spec": {"m": [{"k": "a", "v": 3}, {"k": "b", "v": 0}]}},
    {"spec": {"m": [{"k": "a", "v": 4}, {"k": "b", "v": 0}], "l": ["x", "longer"]}},
)


def ruled(*rules: str) -> dict[str, Any]:
    return {"x-kubernetes-validations": [{"rule": rule} for rule in rules]}


def definition(group: str, whole: dict[str, Any], item: dict[str, Any], keyed: dict[str, Any]) -> dict[str, Any]:
    entry = {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}}
    fields: dict[str, Any] = {
        "a": {"type": "integer"},
        "b": {"type": "integer"},
        "flag": {"type": "boolean"},
        "l": {"type": "array", "maxItems": 9, "items": {"type": "string", "maxLength": 20, **item}},
        "m": {
            "type": "array",
            "maxItems": 9,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
            "items": {**entry, **keyed},
        },
    }
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields, **whole}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "kind": "Thing"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": f"things.{group}"}, "spec": spec}


def test_what_broke_a_rule_before_is_warned_of(pair: Pair, namespace: str) -> None:
    group = f"{namespace}.test"
    path = f"/apis/{group}/v1/namespaces/{namespace}/things"
    pair.set_up(Ask("POST", CRDS, definition(group, {}, {}, {})))
    pair.await_served(path)
    spec = {"a": 5, "b": 1, "flag": True, "l": ["x", "longer"], "m": [{"k": "a", "v": 3}, {"k": "b", "v": 1}]}
    body = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": spec}
    pair.set_up(Ask("POST", path, body))
    _change(
        pair, path, body, definition(group, ruled("self.a < self.b"), ruled("self.size() < 3"), ruled("self.v < 2"))
    )
    found = [line for patch in PATCHES for line in _asked(pair, f"{path}/x", patch)]
    _change(pair, path, body, definition(group, ruled("1 / (self.a - 5) > 0"), {}, {}))
    found += _asked(pair, f"{path}/x", {"metadata": {"labels": {"c": "d"}}})
    assert not found, "\n".join(found)


def _change(pair: Pair, path: str, body: dict[str, Any], crd: dict[str, Any]) -> None:
    """Gives the CRD other rules, and waits until both servers judge by them: a new object like this breaks them."""
    pair.set_up(Ask("PATCH", f"{CRDS}/{crd['metadata']['name']}", {"spec": crd["spec"]}, MERGE))
    probe = {**body, "metadata": {"name": "probe"}}
    pair.await_answer(Ask("POST", f"{path}?dryRun=All", probe), 422)


def _asked(pair: Pair, path: str, patch: dict[str, Any]) -> list[str]:
    real, ours = (normal(answer) for answer in pair.ask(Ask("PATCH", path, patch, MERGE)))
    return [f"{patch}: {line}" for line in differences(real, ours)]
