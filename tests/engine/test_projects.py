"""Projects and their windows, enforced; and hooks with a controller around them."""

import json
from typing import Any

import pytest

from engine.world import Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
PROJECTS = Resource("argoproj.io", "v1alpha1", "AppProject", "appprojects", True)
ALL: dict[str, Any] = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}


async def project(p: Play, **spec: Any) -> None:
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "team", "namespace": "argocd"},
    }
    await p.cluster.apply(PROJECTS, {**body, "spec": {**ALL, **spec}}, manager="person")


async def test_an_application_of_no_project_waits_for_it() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(project="team", **AUTO)
        await p.until(p.conditions)
        assert p.conditions() == ["InvalidSpecError: Application referencing project team which does not exist"]
        assert p.data("a") is None
        await project(p)
        await p.until(lambda: p.data("a") == {"k": "v"})


async def test_a_repository_and_a_destination_that_are_not_permitted_are_told() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await project(p, sourceRepos=["https://elsewhere/*"], destinations=[{"server": "*", "namespace": "other"}])
        await p.application(project="team", **AUTO)
        await p.until(p.conditions)
        assert p.conditions() == [
            "InvalidSpecError: application destination server 'https://kubernetes.default.svc' and namespace 'shop' do not "
            "match any of the allowed destinations in project 'team'",
            "InvalidSpecError: application repo https://git.example/shop.git is not permitted in project 'team'",
        ]
        assert p.data("a") is None


async def test_a_kind_that_is_forbidden_lets_nothing_be_written() -> None:
    async with play() as p:
        await p.commit(
            a=config_map("a"), s=json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})
        )
        await project(p, namespaceResourceBlacklist=[{"group": "", "kind": "Secret"}])
        once = {"syncPolicy": {**AUTO["syncPolicy"], "retry": {"limit": 0}}}
        await p.application(project="team", **once)
        await p.until(lambda: p.phase() == "Failed")
        message = p.status()["operationState"]["message"]
        assert (
            message
            == "one or more synchronization tasks are not valid: resource :Secret is not permitted in project team"
        )
        assert {r["kind"]: r["status"] for r in p.status()["resources"]} == {
            "ConfigMap": "OutOfSync",
            "Secret": "Unknown",
        }
        assert p.data("a") is None


async def test_a_closed_window_holds_automation_and_heals_and_lets_them_go_when_it_is_taken_away() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await project(p)
        await p.application(project="team", **AUTO)
        await p.until(lambda: p.phase() == "Succeeded")
        await project(
            p, syncWindows=[{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}]
        )
        await p.quiet()
        await p.by_hand("a", k="by hand")
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.quiet()
        assert p.data("a") == {"k": "by hand"}
        await p.patch_application({"operation": {"sync": {}, "initiatedBy": {"username": "ola"}}})
        blocked = "Sync operation blocked by sync window"
        await p.until(lambda: (p.status().get("operationState") or {}).get("message") == blocked)
        await project(p, syncWindows=[])
        await p.until(lambda: p.data("a") == {"k": "v"})


def hook(name: str, phase: str) -> str:
    meta = {"name": name, "annotations": {"argocd.argoproj.io/hook": phase}}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "v"}})


async def test_hooks_run_once_an_operation_and_are_listed_beside_it() -> None:
    async with play(wave_delay=0.0) as p:
        await p.commit(a=config_map("a"), pre=hook("pre", "PreSync"), post=hook("post", "PostSync"))
        await p.application(**AUTO)
        await p.until(lambda: p.phase() == "Succeeded")
        state = p.status()["operationState"]
        assert state["message"] == "successfully synced (no more tasks)"
        told = [(r["name"], r.get("hookType", ""), r["hookPhase"]) for r in state["syncResult"]["resources"]]
        assert told == [("pre", "PreSync", "Succeeded"), ("a", "", "Succeeded"), ("post", "PostSync", "Succeeded")]
        await p.until(lambda: [r["name"] for r in p.status()["resources"] if r.get("hook")] == ["post", "pre"])
        body = p.cluster.objects()[ObjectRef("", "ConfigMap", "shop", "pre")]
        assert not body["metadata"].get("finalizers")
        assert p.sync() == "Synced"
