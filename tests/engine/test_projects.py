"""Projects and their windows, enforced; and hooks with a controller around them."""

import json
from typing import Any

import pytest

from engine.world import PROJECTS, Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
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


async def test_a_window_that_closes_between_two_waves_holds_the_second_until_it_opens_or_somebody_ends_it() -> None:
    closed = [{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}]
    web = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}},
        },
    }
    late = {"metadata": {"name": "late", "annotations": {"argocd.argoproj.io/sync-wave": "1"}}, "data": {"k": "v"}}
    blocked = "Sync operation blocked by sync window"
    async with play(wave_delay=0.0) as p:
        await p.commit(web=json.dumps(web), late=json.dumps({"apiVersion": "v1", "kind": "ConfigMap", **late}))
        await project(p)
        await p.application(project="team", **AUTO)
        waiting = "waiting for healthy state of apps/Deployment/web"
        await p.until(lambda: (p.status().get("operationState") or {}).get("message") == waiting)
        before = p.status()["operationState"]["syncResult"]["resources"]
        await project(p, syncWindows=closed)
        await p.until(lambda: p.status()["operationState"]["message"] == blocked)
        await healthy(p)
        await p.quiet()
        assert p.data("late") is None
        assert p.status()["operationState"]["syncResult"]["resources"] == before, "nothing is looked at meanwhile"
        await project(p, syncWindows=[])
        await p.until(lambda: p.data("late") == {"k": "v"} and p.phase() == "Succeeded")


async def test_an_operation_that_a_window_does_not_let_begin_can_be_ended() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        closed = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
        await project(p, syncWindows=[closed])
        await p.application(project="team")
        await p.patch_application({"operation": {"sync": {}, "initiatedBy": {"username": "ola"}}})
        blocked = "Sync operation blocked by sync window"
        await p.until(lambda: (p.status().get("operationState") or {}).get("message") == blocked)
        assert p.status()["operationState"]["syncResult"]["revision"] == ""
        await p.patch_application({"status": {"operationState": {"phase": "Terminating"}}})
        await p.until(lambda: p.phase() == "Failed")
        assert p.status()["operationState"]["message"] == "Operation terminated"
        assert p.data("a") is None


async def test_a_window_that_cannot_be_read_holds_what_it_concerns_and_says_why() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        often = {"kind": "deny", "duration": "1h"}
        unread = {**often, "schedule": "soon", "applications": ["*"]}
        elsewhere = {**often, "schedule": "* * * * *", "clusters": ["in-cluster"]}
        await project(p, syncWindows=[unread, elsewhere])
        await p.application(project="team", **AUTO)
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.patch_application({"operation": {"sync": {}, "initiatedBy": {"username": "ola"}}})
        blocked = (
            "Sync operation blocked by sync window: invalid sync windows: "
            "cannot parse schedule 'soon': expected exactly 5 fields, found 1: [soon]"
        )
        await p.until(lambda: (p.status().get("operationState") or {}).get("message") == blocked)
        await p.patch_application({"status": {"operationState": {"phase": "Terminating"}}})
        await p.until(lambda: p.phase() == "Failed")
        await p.quiet()
        assert "conditions" not in p.status(), "nobody looks whether it would be synced"
        await project(p, syncWindows=[elsewhere])  # the Application names its cluster by its address
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: p.data("a") == {"k": "v"})


async def healthy(p: Play) -> None:
    """The Deployment `web` has its one replica."""
    ready = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    conditions = [{"type": "Available", "status": "True"}]
    kind = Resource("apps", "v1", "Deployment", "deployments", True)
    status = {"status": {**ready, "conditions": conditions}}
    await p.cluster.patch(kind, "shop", "web", status, manager="kcm", subresource="status")


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
