"""A foreign write to what Git owns is undone; what Git does not name is left alone."""

import asyncio
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, Play, config_map, play
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}


async def in_step(p: Play, **spec: Any) -> None:
    await p.commit(a=config_map("a"), b=config_map("b"))
    await p.application(**(spec or AUTO))
    await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
    await p.quiet(0.2)


async def test_a_hand_edit_is_undone_and_the_ledger_says_who_and_what() -> None:
    async with play() as p:
        await in_step(p)
        await p.by_hand("a", k="hand")
        await p.until(lambda: p.data("a") == {"k": "v"})
        closed = p.records.records[-1]
        assert closed.body["fields"] == ["data.k"]
        assert [who.split(" at ")[0] for who in closed.body["changedBy"]] == ["kubectl-edit"]
        await p.until(lambda: "autoHealAttemptsCount" in p.status()["operationState"]["operation"]["sync"])
        assert p.status()["operationState"]["operation"]["sync"]["resources"] == [{"kind": "ConfigMap", "name": "a"}]
        assert p.sync() == "Synced"


async def test_a_deleted_object_is_made_again() -> None:
    async with play() as p:
        await in_step(p)
        await p.delete_by_hand("b")
        await p.until(lambda: p.data("b") == {"k": "v"})


async def test_a_field_nobody_in_git_names_is_left_alone() -> None:
    async with play() as p:
        await in_step(p)
        await p.by_hand("a", extra="mine")
        await p.quiet()
        assert p.data("a") == {"k": "v", "extra": "mine"}
        assert p.sync() == "Synced"


async def test_without_self_heal_drift_is_told_and_stays() -> None:
    async with play() as p:
        await in_step(p, syncPolicy={"automated": {"prune": True}})
        await p.by_hand("a", k="hand")
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.quiet()
        assert p.data("a") == {"k": "hand"}


@pytest.mark.parametrize("where", [{"jsonPointers": ["/data/k"]}, {"jqPathExpressions": [".data | .k"]}])
async def test_an_ignored_field_is_no_drift(where: dict[str, list[str]]) -> None:
    async with play() as p:
        ignore = [{"group": "", "kind": "ConfigMap", **where}]
        await in_step(p, ignoreDifferences=ignore, **AUTO)
        await p.by_hand("a", k="hand")
        await p.quiet()
        assert p.data("a") == {"k": "hand"}
        assert p.sync() == "Synced"


async def test_ten_heals_come_at_once_and_then_the_fighter_is_named_and_slowed() -> None:
    async with play() as p:
        await in_step(p)
        for number in range(10):
            await p.by_hand("a", k=f"hand-{number}")
            await p.until(lambda: p.data("a") == {"k": "v"})
        loop = asyncio.get_running_loop()
        await p.by_hand("a", k="once more")
        begun = loop.time()
        await p.by_hand("b", k="another object")
        await p.until(lambda: p.data("b") == {"k": "v"})
        assert loop.time() - begun < 1.0
        assert p.data("a") == {"k": "once more"}
        await p.until(p.conditions)
        assert p.conditions()[0].startswith(
            "DriftFightWarning: ConfigMap shop/a: kubectl-edit keeps changing data.k; it is put back every 2 s at most"
        )
        await p.until(lambda: p.data("a") == {"k": "v"})
        assert 1.0 < loop.time() - begun < 5.0
        assert [e.partition(":")[0] for e in p.events()].count("DriftFight") == 1


async def test_a_dropped_watch_loses_no_drift() -> None:
    async with play() as p:
        await in_step(p)
        p.cluster.drop_watches()
        await p.by_hand("a", k="hand")
        await p.until(lambda: p.data("a") == {"k": "v"})


async def test_a_removed_tracking_id_is_put_back() -> None:
    async with play() as p:
        await in_step(p)
        annotations = {"annotations": {"argocd.argoproj.io/tracking-id": None}}
        await p.cluster.patch(CONFIG_MAPS, "shop", "a", {"metadata": annotations}, manager="kubectl-edit")
        from kilde.core.objects.ref import ObjectRef

        ref = ObjectRef("", "ConfigMap", "shop", "a")
        await p.until(lambda: "annotations" in p.cluster.objects()[ref]["metadata"])


async def test_a_heal_under_way_is_waited_for_by_the_commit_that_takes_its_object_away() -> None:
    async with play() as p:
        await in_step(p)
        go = asyncio.Event()
        applied = {"a": 0}

        def hold(verb: str, ref: ObjectRef) -> asyncio.Event | None:
            if verb != "apply" or (ref.kind, ref.name) != ("ConfigMap", "a"):
                return None
            applied["a"] += 1
            return go

        p.cluster.hold = hold
        await p.delete_by_hand("a")
        await p.until(lambda: applied["a"] == 1, "a heal that makes it again is on its way")
        sha = await p.commit(b=config_map("b"))
        await p.quiet()
        assert p.status()["sync"]["revision"] != sha  # nothing is said of the commit while that may still arrive
        go.set()
        await p.until(lambda: p.status()["sync"] | {"revision": sha, "status": "Synced"} == p.status()["sync"])
        assert p.data("a") is None


async def test_a_hand_edit_that_is_seen_before_the_answer_to_a_heal_is_undone_as_well() -> None:
    async with play() as p:
        await in_step(p)
        go = asyncio.Event()
        heals: list[str] = []

        def late(verb: str, ref: ObjectRef) -> asyncio.Event | None:
            if verb != "apply" or (ref.kind, ref.name) != ("ConfigMap", "a"):
                return None
            heals.append(ref.name)
            return go

        p.cluster.late = late
        await p.by_hand("a", k="hand")
        await p.until(lambda: heals == ["a"])
        await p.by_hand("a", k="another hand")
        await p.quiet(0.1)
        go.set()
        await p.until(lambda: p.data("a") == {"k": "v"})


async def test_argocd_cm_says_what_is_ignored_and_when_a_kind_is_well() -> None:
    script = "if obj.data.k == 'bad' then return {status='Degraded', message='k is bad'} end return {status='Healthy'}"
    data = {
        "resource.customizations.ignoreDifferences.ConfigMap": "jsonPointers:\n- /data/k\n",
        "resource.customizations.health.ConfigMap": script,
    }
    async with play(on_degraded="off") as p:  # what goes wrong here is a person's doing, not the commit's
        await in_step(p)
        cm = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "argocd-cm", "namespace": "argocd"},
            "data": data,
        }
        await p.cluster.create(CONFIG_MAPS, cm, manager="person")
        await p.quiet()
        await p.by_hand("a", k="bad")
        await p.until(lambda: p.status()["health"]["status"] == "Degraded")
        assert p.data("a") == {"k": "bad"}
        assert p.sync() == "Synced"
        await p.cluster.patch(CONFIG_MAPS, "argocd", "argocd-cm", {"data": dict.fromkeys(data)}, manager="person")
        await p.until(lambda: p.data("a") == {"k": "v"} and p.status()["health"]["status"] == "Healthy")


def refuse(p: Play, error: ClusterError) -> list[str]:
    """The cluster refuses to write `a` like this from now on; what was tried."""
    tried: list[str] = []

    def answer(verb: str, ref: ObjectRef) -> ClusterError | None:
        if verb != "apply" or (ref.kind, ref.name) != ("ConfigMap", "a"):
            return None
        tried.append(verb)
        return error

    p.cluster.refuse = answer
    return tried


async def test_a_heal_that_the_cluster_refuses_becomes_a_sync_that_fails_and_is_not_tried_again() -> None:
    async with play() as p:
        auto = {"automated": AUTO["syncPolicy"]["automated"], "retry": {"limit": 1, "backoff": {"duration": "1s"}}}
        await in_step(p, syncPolicy=auto)
        sha = p.status()["sync"]["revision"]
        tried = refuse(p, ClusterError("configmaps a is forbidden: policy says no", status=422, reason="Invalid"))
        await p.by_hand("b", k="hand")
        await p.by_hand("a", k="hand")
        await p.until(lambda: p.phase() == "Failed")
        await p.until(lambda: any(one.startswith("SyncError") for one in p.conditions()))
        count = len(tried)
        await p.by_hand("a", k="another hand")
        await p.quiet(1.5)
        assert len(tried) == count <= 5, "one heal, then a sync and its one retry, each with a dry run at most"
        assert (p.data("a"), p.data("b")) == ({"k": "another hand"}, {"k": "v"})
        told = (
            "one or more objects failed to apply, reason: configmaps a is forbidden: policy says no (retried 1 times)."
        )
        state = p.status()["operationState"]
        assert (state["phase"], state["message"]) == ("Failed", told)
        assert state["operation"]["initiatedBy"] == {"automated": True}
        assert state["operation"]["sync"]["resources"] == [{"kind": "ConfigMap", "name": "a"}]
        assert p.conditions() == [f"SyncError: Failed last sync attempt to [{sha}]: {told}"]
        assert [one.partition(":")[0] for one in p.events()] == ["OperationCompleted"]

        p.cluster.refuse = None
        await p.commit(a=config_map("a"), b=config_map("b", k="two"))
        await p.until(lambda: p.data("a") == {"k": "v"} and p.phase() == "Succeeded")
        await p.quiet(0.2)
        await p.by_hand("a", k="hand")
        await p.until(lambda: p.data("a") == {"k": "v"})
        assert [one.body["cause"] for one in p.records.records if "cause" in one.body][-1].startswith("self-heal")


async def test_a_sync_that_follows_a_refused_heal_puts_back_what_is_let_through_by_then() -> None:
    async with play() as p:
        auto = {"automated": AUTO["syncPolicy"]["automated"], "retry": {"limit": 5, "backoff": {"duration": "1s"}}}
        await in_step(p, syncPolicy=auto)
        refuse(p, ClusterError("exceeded quota", status=403, reason="Forbidden"))
        await p.by_hand("b", k="hand")
        await p.by_hand("a", k="hand")
        await p.until(lambda: "Retrying" in p.status()["operationState"]["message"])
        await p.by_hand("b", extra="mine")  # the application is looked at meanwhile
        await p.quiet(0.3)
        assert p.phase() == "Running", "the heal of the other object is older news"
        p.cluster.refuse = None
        await p.until(lambda: p.data("a") == {"k": "v"} and p.phase() == "Succeeded")
        await p.quiet(0.2)
        assert (p.sync(), p.conditions()) == ("Synced", [])


async def test_a_heal_that_gets_no_usable_answer_is_tried_again_by_itself() -> None:
    async with play() as p:
        await in_step(p)
        tried = refuse(p, ClusterError("object is being deleted", status=409, reason="AlreadyExists"))
        await p.by_hand("a", k="hand")
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.quiet(0.3)
        assert len(tried) == 1, "not with each pass"
        await p.until(lambda: len(tried) == 2)
        assert (p.phase(), p.conditions()) == ("Succeeded", [])
        p.cluster.refuse = None
        await p.until(lambda: p.data("a") == {"k": "v"})
