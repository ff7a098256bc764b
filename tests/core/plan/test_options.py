"""Sync options: what each changes in what is written, and when."""

import base64
import json
from typing import Any

import pytest

from kilde.core.objects.ref import ObjectRef
from kilde.core.objects.typed.managed_fields import apply, update
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import builtin
from kilde.core.plan.ignore import IgnoreRule
from kilde.core.plan.options import Writing, owned_before, refusal, unknown_options, written
from kilde.core.plan.policy import SYNC_OPTIONS_ANNOTATION, SyncPolicy, read_options

NOW = "2026-01-01T00:00:00Z"
TRUST = (IgnoreRule(group="", kind="*", managers=("robot",)),)


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}, "data": data}


def node_of(kind: str) -> Node:
    found = builtin().node("", "v1", kind)
    assert found is not None
    return found


def touched(wanted: dict[str, Any], manager: str, **data: str) -> dict[str, Any]:
    """What we applied, after somebody's write of its data."""
    node = node_of(wanted["kind"])
    live = apply(None, wanted, node=node, manager="kilde", api_version="v1", now=NOW).object
    return update(live, {**live, "data": data}, node=node, manager=manager, api_version="v1", now=NOW).object


def writing(wanted: dict[str, Any], live: dict[str, Any], *options: str, **more: Any) -> Writing:
    policy = SyncPolicy(options=read_options(options), **more.pop("policy", {}))
    ref = ObjectRef("", wanted["kind"], "shop", "a")
    head = {"ref": ref, "wanted": wanted, "live": live, "node": node_of(wanted["kind"]), "manager": "kilde"}
    return Writing(**{"policy": policy, "ignore": TRUST, **head, **more})


def test_what_a_trusted_manager_owns_is_not_written() -> None:
    wanted = config_map(tea="3", milk="1")
    live = touched(wanted, "robot", tea="9", milk="1")
    assert written(writing(wanted, live)) == wanted
    assert written(writing(wanted, live, "RespectIgnoreDifferences=true")) == config_map(milk="1")
    assert written(writing(wanted, live, "RespectIgnoreDifferences=true", whole=True)) == config_map(tea="9", milk="1")
    other = touched(wanted, "person", tea="9", milk="1")
    assert written(writing(wanted, other, "RespectIgnoreDifferences=true")) == wanted


def test_pointers_take_the_live_value_as_nobody_else_might_own_it() -> None:
    wanted = config_map(tea="3", milk="1")
    rules = (IgnoreRule(group="", kind="ConfigMap", pointers=(("data", "tea"),)),)
    at = writing(wanted, touched(wanted, "person", tea="9", milk="2"), "RespectIgnoreDifferences=true", ignore=rules)
    assert written(at) == config_map(tea="9", milk="1")


def test_a_secret_written_in_plain_is_left_to_who_owns_its_data() -> None:
    wanted = {**config_map(), "kind": "Secret", "stringData": {"one": "1", "two": "2"}}
    del wanted["data"]
    stored = {**wanted, "data": {"one": encoded("1"), "two": encoded("2")}}
    del stored["stringData"]
    live = touched(stored, "robot", one=encoded("7"), two=encoded("2"))
    found = written(writing(wanted, live, "RespectIgnoreDifferences=true"))
    assert (found["data"], "stringData" in found) == ({"two": encoded("2")}, False)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def by_kubectl(manager: str = "kubectl-client-side-apply") -> dict[str, Any]:
    """What a client-side apply has set and nobody else."""
    empty = config_map()
    live = apply(None, empty, node=node_of("ConfigMap"), manager="kilde", api_version="v1", now=NOW).object
    new = {**live, "data": {"old": "1"}}
    return update(live, new, node=node_of("ConfigMap"), manager=manager, api_version="v1", now=NOW).object


def managers(found: list[dict[str, Any]] | None) -> list[tuple[str, str, str]] | None:
    if found is None:
        return None
    return [(one["manager"], one["operation"], json.dumps(one["fieldsV1"].get("f:data"))) for one in found]


OURS = [("kilde", "Apply", '{".": {}, "f:old": {}}')]


@pytest.mark.parametrize(
    ("options", "own", "former", "expected"),
    [
        (("ServerSideApply=true",), "", "kubectl-client-side-apply", OURS),
        ((), "ServerSideApply=true", "kubectl-client-side-apply", OURS),
        ((), "", "kubectl-client-side-apply", None),
        (("ServerSideApply=true",), "ServerSideApply=false", "kubectl-client-side-apply", None),
        (("ServerSideApply=true", "ClientSideApplyMigration=false"), "", "kubectl-client-side-apply", None),
        (("ServerSideApply=true",), "", "helm", None),
    ],
)
def test_a_client_side_apply_is_taken_over_where_the_object_is_applied_by_the_server(
    options: tuple[str, ...], own: str, former: str, expected: Any
) -> None:
    wanted = config_map(new="2")
    if own:
        wanted["metadata"]["annotations"] = {SYNC_OPTIONS_ANNOTATION: own}
    assert managers(owned_before(writing(wanted, by_kubectl(former), *options))) == expected


def test_whose_applies_are_taken_over_can_be_named() -> None:
    named = writing(config_map(), by_kubectl("helm"), "ServerSideApply=true", policy={"migrates": "helm"})
    assert managers(owned_before(named)) == OURS


def test_an_operation_that_is_to_fail_on_shared_objects_says_which() -> None:
    conditions = [("SyncError", "no"), ("SharedResourceWarning", "ConfigMap/a is part of applications argocd/x and y")]
    on, off = read_options(["FailOnSharedResource=true"]), read_options([])
    told = "Shared resource found: ConfigMap/a is part of applications argocd/x and y"
    assert refusal(on, conditions) == told
    assert refusal(off, conditions) == ""
    assert refusal(on, conditions[:1]) == ""


def test_force_is_asked_for_by_an_object_alone() -> None:
    policy = SyncPolicy(options=read_options(["Force=true", "Replace=true"]))
    annotated = {"metadata": {"annotations": {"argocd.argoproj.io/sync-options": "Force=true"}}}
    assert [policy.asks(name, {"metadata": {}}) for name in ("Force", "Replace")] == [False, True]
    assert SyncPolicy().asks("Force", annotated)


def test_an_option_that_nobody_knows_is_told_with_what_may_be_meant() -> None:
    assert unknown_options(read_options(["Replace=true", "FailOnSharedResources=true", "Force"])) == [
        "sync option 'FailOnSharedResources' is not known (did you mean 'FailOnSharedResource'?)",
        "sync option 'Force' has no value, and no effect: write 'Force=true'",
    ]


@pytest.mark.parametrize(
    ("words", "is_on", "is_off", "value"),
    [
        (["Prune=false", "Prune=confirm"], False, True, "false"),
        ([" Prune=true ", "Prune=false", ""], True, True, "true"),
        (["Prune", "Prune=True", "prune=true", "Prune =true"], False, False, "True"),
        (["PruneLast=true", "Prune="], False, False, ""),
        ([], False, False, ""),
    ],
)
def test_an_option_that_is_there_more_than_once_is_read_as_argo_cd_reads_it(
    words: list[str], is_on: bool, is_off: bool, value: str
) -> None:
    options = read_options(words)
    assert (options.is_on("Prune"), options.is_off("Prune"), options.get("Prune")) == (is_on, is_off, value)
