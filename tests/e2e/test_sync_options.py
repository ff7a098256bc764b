"""Sync options on both clusters: whose fields are left alone, whose are taken over, what a shared object and a closing window do."""

import json
from typing import Any

import pytest

from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
MANUAL: dict[str, Any] = {"syncOptions": ["CreateNamespace=true"]}


def config_map(name: str, *, wave: int = 0, **data: str) -> str:
    meta = {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": str(wave)}}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})


def options(*names: str) -> dict[str, Any]:
    return {"syncPolicy": {"syncOptions": [*MANUAL["syncOptions"], *names]}}


def data(stage: Stage, place: str, name: str) -> dict[str, str]:
    body = stage.get("-n", place, "configmap", name)
    assert body is not None
    return body.get("data") or {}


def managers(stage: Stage, place: str, name: str) -> list[tuple[str, str]]:
    text = stage.kubectl("-n", place, "get", "configmap", name, "-o", "json", "--show-managed-fields")
    return [(one["manager"], one["operation"]) for one in json.loads(text)["metadata"]["managedFields"]]


def write_as(stage: Stage, manager: str, place: str, name: str, **values: str) -> None:
    patch = ("--type=merge", "-p", json.dumps({"data": values}))
    stage.kubectl("-n", place, "patch", "configmap", name, "--field-manager", manager, *patch)


def test_fields_of_trusted_managers_are_left_to_them(stage: Stage) -> None:
    place = f"{stage.space}-x"
    stage.create_repository({"app/a.yaml": config_map("a", tea="3", milk="1")})
    trust = {"ignoreDifferences": [{"kind": "ConfigMap", "managedFieldsManagers": ["robot"]}]}
    stage.start()
    stage.application("shop", "app", place, **trust, **options("RespectIgnoreDifferences=true"))
    stage.kilde("app", "sync", "shop")
    write_as(stage, "robot", place, "a", tea="9")
    stage.commit({"app/a.yaml": config_map("a", tea="4", milk="2")})
    stage.kilde("app", "sync", "shop")
    assert data(stage, place, "a") == {"tea": "9", "milk": "2"}
    assert sorted(managers(stage, place, "a")) == [("kilde", "Apply"), ("robot", "Update")]
    write_as(stage, "person", place, "a", tea="8")
    stage.kilde("app", "sync", "shop")
    assert data(stage, place, "a") == {"tea": "4", "milk": "2"}, "a person is not trusted"
    stage.kubectl(
        "-n",
        stage.space,
        "patch",
        "application",
        "shop",
        "--type=merge",
        "-p",
        json.dumps({"spec": {**options("Replace=true", "RespectIgnoreDifferences=true")}}),
    )
    write_as(stage, "robot", place, "a", tea="7", sugar="1")
    stage.kilde("app", "sync", "shop")
    assert data(stage, place, "a") == {"tea": "7", "milk": "2"}, "what is put as a whole has the robot's value"


def test_what_only_a_client_side_apply_has_set_goes(stage: Stage) -> None:
    stage.create_repository({"app/a.yaml": config_map("a", new="2")})
    stage.start()
    kubectl, off = "kubectl-client-side-apply", "ClientSideApplyMigration=false"
    key = "argocd.argoproj.io/client-side-apply-migration-manager"
    cases = {"plain": (kubectl, ()), "named": ("helm", ()), "off": (kubectl, (off,)), "other": ("helm", ())}
    for name, (former, more) in cases.items():
        place = f"{stage.space}-{name}"
        stage.kubectl("create", "namespace", place)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"old": "1"}}
        stage.kubectl("-n", place, "create", "--field-manager", former, "-f", "-", stdin=json.dumps(body))
        stage.application(name, "app", place, **options("ServerSideApply=true", *more))
    stage.kubectl("-n", stage.space, "annotate", "application", "named", f"{key}=helm")
    for name in cases:
        stage.kilde("app", "sync", name)
    found = {
        name: (data(stage, f"{stage.space}-{name}", "a"), managers(stage, f"{stage.space}-{name}", "a"))
        for name in cases
    }
    ours, both = ("kilde", "Apply"), {"old": "1", "new": "2"}
    assert found == {
        "plain": ({"new": "2"}, [ours]),
        "named": ({"new": "2"}, [ours]),
        "off": (both, [ours, (kubectl, "Update")]),
        "other": (both, [ours, ("helm", "Update")]),
    }


def test_an_automated_sync_that_may_share_nothing_fails(stage: Stage) -> None:
    place = f"{stage.space}-x"
    stage.create_repository({"app/a.yaml": config_map("a", k="v")})
    stage.start()
    stage.application("one", "app", place)
    stage.until(lambda: stage.is_well("one"), "one is synced")
    policy = {"automated": {}, "retry": {"limit": 0}, "syncOptions": ["FailOnSharedResource=true"]}
    stage.application("two", "app", place, syncPolicy=policy)
    stage.until(lambda: (stage.status("two").get("operationState") or {}).get("phase") == "Failed", "two fails")
    told = f"Shared resource found: ConfigMap/a is part of applications {stage.space}/two and one"
    assert stage.status("two")["operationState"]["message"] == told


def test_a_window_that_closes_between_two_waves_holds_the_second(stage: Stage) -> None:
    place = f"{stage.space}-x"
    gate: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gate"}}
    gate["spec"] = {"nodeSelector": {"no": "such"}, "containers": [{"name": "c", "image": "i"}]}
    stage.create_repository({"app/gate.yaml": json.dumps(gate), "app/late.yaml": config_map("late", wave=1, k="v")})
    stage.start()
    windows(stage, [])
    stage.application("shop", "app", place, project="team")
    waiting, blocked = "waiting for healthy state of /Pod/gate", "Sync operation blocked by sync window"
    stage.until(lambda: message(stage) == waiting, "the first wave waits")
    windows(stage, [{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}])
    stage.until(lambda: message(stage) == blocked, "the window is in the way")
    assert stage.get("-n", place, "configmap", "late") is None
    assert stage.kilde("app", "terminate", "shop") == f"Failed: {message(stage)}\n"
    assert message(stage).startswith("Operation terminated")
    assert stage.get("-n", place, "configmap", "late") is None


def test_a_hook_that_stays_is_no_difference(stage: Stage) -> None:
    place = f"{stage.space}-x"
    hook = json.loads(config_map("unused", k="v"))
    hook["metadata"] = {"generateName": "note-", "annotations": {"argocd.argoproj.io/hook": "PostSync"}}
    stage.create_repository({"app/a.yaml": config_map("a", k="v"), "app/hook.json": json.dumps(hook)})
    stage.start()
    stage.application("shop", "app", place, syncPolicy=MANUAL)
    stage.kilde("app", "sync", "shop")
    kept = stage.kubectl("-n", place, "get", "configmaps", "-o", "name").split()
    assert len([name for name in kept if name.startswith("configmap/note-")]) == 1
    assert stage.kilde("app", "diff", "shop") == ""


def message(stage: Stage) -> str:
    return str((stage.status("shop").get("operationState") or {}).get("message"))


def windows(stage: Stage, found: list[dict[str, Any]]) -> None:
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        "syncWindows": found,
    }
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject"}
    body = {**head, "metadata": {"name": "team", "namespace": stage.space}, "spec": spec}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))
