"""A commit that fails or does harm is put into quarantine: it is not brought back, the next good one flows, and people are told."""

import json
from typing import Any

import pytest

from engine.world import URL, Play, config_map, play
from kilde.core.apps.quarantine import Quarantine
from kilde.core.basics.errors import ClusterError
from kilde.core.ledger.operation import operations
from kilde.core.objects.ref import ObjectRef
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "retry": {"limit": 0}}}
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", True)
APPLICATION = ObjectRef("argoproj.io", "Application", "argocd", "shop")
GIVEN_UP = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "gave up"}


def deployment(image: str) -> str:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": pod}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})


def image(p: Play) -> str:
    body = p.cluster.objects().get(ObjectRef("apps", "Deployment", "shop", "web")) or {}
    return str(body["spec"]["template"]["spec"]["containers"][0]["image"]) if body else ""


async def is_well(p: Play, *, well: bool) -> None:
    """What a Deployment's controller would say of the Deployment as it is now."""
    body = p.cluster.objects()[ObjectRef("apps", "Deployment", "shop", "web")]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), 1)
    status: dict[str, Any] = {"observedGeneration": body["metadata"].get("generation", 1), **counts}
    status["conditions"] = [] if well else [GIVEN_UP]
    await p.cluster.patch(DEPLOYMENTS, "shop", "web", {"status": status}, manager="kcm", subresource="status")


def told(p: Play) -> str:
    return next((text for text in p.conditions() if text.startswith("QuarantineWarning: ")), "")


def decisions(p: Play) -> list[tuple[str, str, str]]:
    found = operations(p.records.records, p.records.people())
    return [(one.cause, one.asked_by, one.phase) for one in found if one.cause.startswith("quarantine")]


async def deployed(p: Play, **annotations: str) -> str:
    """The first commit, well."""
    sha = await p.commit(web=deployment("one"), a=config_map("a"))
    await p.application(**AUTO)
    if annotations:
        names = {f"kilde.dev/{key.replace('_', '-')}": text for key, text in annotations.items()}
        await p.patch_application({"metadata": {"annotations": names}})
    await p.until(lambda: image(p) == "one")
    await is_well(p, well=True)
    await p.until(
        lambda: p.sync() == "Synced" and p.phase() == "Succeeded" and p.status()["health"]["status"] == "Healthy"
    )
    return sha


async def harmed(p: Play, name: str = "two") -> str:
    sha = await p.commit(web=deployment(name), a=config_map("a"), more=config_map("more"))
    await p.until(
        lambda: image(p) == name and p.phase() == "Succeeded" and p.status()["history"][-1]["revision"] == sha
    )
    await is_well(p, well=False)
    await p.until(lambda: told(p))
    return sha


async def test_a_commit_that_does_harm_is_held_and_the_next_one_flows() -> None:
    async with play() as p:
        await deployed(p)
        bad = await harmed(p)
        assert told(p) == (
            f"QuarantineWarning: {bad[:7]} is in quarantine: the application became Degraded within 900 s after it was deployed. "
            "Nothing is written or healed until a commit wants something else of it; to deploy it all the same: kilde app sync shop"
        )
        await p.cluster.patch(DEPLOYMENTS, "shop", "web", {"spec": {"replicas": 3}}, manager="person")
        await p.by_hand("a", k="by hand")
        await p.quiet()
        assert p.data("a") == {"k": "by hand"}, "a person's repair is left alone"
        await p.commit(web=deployment("three"), a=config_map("a"))
        await p.until(lambda: image(p) == "three" and p.data("a") == {"k": "v"} and not told(p))
        assert decisions(p) == [
            ("quarantine", "automated", "Quarantined"),
            ("quarantine lifted", "automated", "Succeeded"),
        ]
        assert [text.partition(":")[0] for text in p.events()].count("Quarantined") == 1
        await p.until(lambda: "kilde.dev/quarantine" not in annotations(p))


async def test_with_rollback_the_last_deployment_comes_back_and_stays() -> None:
    async with play() as p:
        good = await deployed(p, on_degraded="rollback")
        bad = await harmed(p)
        await p.until(lambda: image(p) == "one" and p.data("more") is None)
        await is_well(p, well=True)
        await p.until(lambda: p.phase() == "Succeeded" and p.status()["health"]["status"] == "Healthy")
        assert told(p).endswith(
            f"It is kept at {good[:7]} until a commit wants something else of it; to deploy it all the same: kilde app sync shop"
        )
        await p.until(lambda: (p.sync(), p.status()["sync"]["revision"]) == ("OutOfSync", bad))
        await p.by_hand("a", k="by hand")
        await p.until(lambda: p.data("a") == {"k": "v"}, "healed towards what it is kept at")
        await p.quiet()
        assert image(p) == "one"
        sha = p.sources.commit(URL, {"README": b"of no concern", **bad_files()})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.status()["sync"]["revision"] == sha)
        await p.quiet()
        assert (image(p), bool(told(p))) == ("one", True), "a commit that wants the very same is in quarantine as well"
        await p.commit(web=deployment("three"), a=config_map("a"))
        await p.until(lambda: image(p) == "three" and not told(p))
        await is_well(p, well=True)
        await p.until(lambda: p.sync() == "Synced")
        assert [cause for cause, _, _ in decisions(p)] == ["quarantine", "quarantine lifted"]


async def test_a_commit_whose_sync_fails_is_put_into_quarantine() -> None:
    async with play() as p:
        p.cluster.refuse = lambda verb, ref: (
            ClusterError("no", status=422, reason="Invalid") if verb == "apply" and ref.name == "bad" else None
        )
        await deployed(p, on_degraded="rollback")
        sha = await p.commit(web=deployment("two"), a=config_map("a"), bad=config_map("bad"))
        await p.until(lambda: told(p) and image(p) == "one" and p.phase() == "Succeeded")
        assert told(p).startswith(f"QuarantineWarning: {sha[:7]} is in quarantine: its sync failed: one or more")


async def test_a_person_may_deploy_it_all_the_same_and_is_named() -> None:
    async with play() as p:
        await deployed(p)
        bad = await harmed(p)
        await p.patch_application({"operation": {"initiatedBy": {"username": "ann"}, "sync": {}}})
        await p.until(lambda: not told(p) and p.phase() == "Succeeded" and "kilde.dev/quarantine" not in annotations(p))
        await p.quiet()
        assert not told(p), "what a person asked for is that person's"
        assert p.status()["history"][-1]["revision"] == bad
        assert decisions(p)[-1] == ("quarantine lifted", "ann", "Succeeded")
        await p.by_hand("a", k="by hand")
        await p.until(lambda: p.data("a") == {"k": "v"}, "healed again")


async def test_an_application_that_was_unwell_before_is_not_the_commits_fault() -> None:
    async with play() as p:
        await p.commit(web=deployment("one"), a=config_map("a"))
        await p.application(syncPolicy={"automated": {}})
        await p.until(lambda: image(p) == "one")
        await is_well(p, well=False)
        await p.until(lambda: told(p))
        past = "2020-01-01T00:00:00Z"
        health = {"status": {"health": {"status": "Degraded", "lastTransitionTime": past}}}
        await p.patch_application(
            {**health, "metadata": {"annotations": {"kilde.dev/quarantine": None, "kilde.dev/on-degraded": "off"}}}
        )
        await p.commit(web=deployment("one"), a=config_map("a", k="two"))
        await p.until(lambda: p.data("a") == {"k": "two"} and p.phase() == "Succeeded")
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/on-degraded": "hold"}}})
        await p.quiet()
        assert not told(p)


async def test_what_degrades_later_than_the_window_is_not_the_commits_fault() -> None:
    async with play() as p:
        await deployed(p, degraded_window="1ms")
        await p.quiet(1.1)
        await is_well(p, well=False)
        await p.until(lambda: p.status()["health"]["status"] == "Degraded")
        await p.quiet()
        assert not told(p)


async def test_a_quarantine_that_somebody_wrote_brings_the_other_revision() -> None:
    async with play() as p:
        good = await deployed(p)
        bad = await p.commit(web=deployment("two"), a=config_map("a"))
        await p.until(lambda: image(p) == "two" and p.phase() == "Succeeded")
        written = Quarantine(revisions=(bad,), to=(good,), reason="orders fail", by="ann").written()
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/quarantine": written}}})
        await p.until(lambda: image(p) == "one" and p.phase() == "Succeeded" and told(p))
        assert decisions(p) == [("quarantine", "ann", "Quarantined")]
        assert f"{bad[:7]} is in quarantine: orders fail. It is kept at {good[:7]}" in told(p)
        assert json.loads(annotations(p)["kilde.dev/quarantine"])["rendered"], (
            "later commits that want the same are known by it"
        )


async def test_one_that_cannot_be_read_holds_nothing_and_is_told() -> None:
    async with play() as p:
        await deployed(p)
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/quarantine": "{"}}})
        await p.until(lambda: "annotation kilde.dev/quarantine cannot be read, and holds nothing" in told(p))
        await p.commit(web=deployment("two"), a=config_map("a"))
        await p.until(lambda: image(p) == "two")


def annotations(p: Play) -> dict[str, str]:
    return p.cluster.objects()[APPLICATION]["metadata"].get("annotations") or {}


def bad_files() -> dict[str, bytes]:
    """The application's files as the bad commit has them."""
    return {
        "app/web.yaml": deployment("two").encode(),
        "app/a.yaml": config_map("a").encode(),
        "app/more.yaml": config_map("more").encode(),
    }
