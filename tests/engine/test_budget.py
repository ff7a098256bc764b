"""Deletions over a budget are held, told, released by just the digest they were told with, and by nothing else."""

import json
from typing import Any

import pytest

from engine.world import NAMESPACES, PROJECTS, Play, config_map, play
from kilde.core.ledger.operation import operations
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.budget import Budget, FleetBudget
from kilde.core.plan.held import digest_in
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
SEVEN = {f"c{n}": config_map(f"c{n}") for n in range(7)}
ONE = {"c0": SEVEN["c0"]}


def held(p: Play, name: str = "shop") -> str:
    return next((text for text in p.conditions(name) if text.startswith("DeletionHeldWarning: ")), "")


def names(p: Play) -> list[str]:
    return sorted(r.name for r in p.cluster.objects() if (r.kind, r.namespace) == ("ConfigMap", "shop"))


def decisions(p: Play) -> list[tuple[str, str, str]]:
    found = operations(p.records.records, p.records.people())
    return [(one.cause, one.asked_by, one.phase) for one in found if one.cause.startswith("deletions")]


async def deployed(p: Play, files: dict[str, str], name: str = "shop", **spec: Any) -> str:
    sha = await p.commit(**files)
    await p.application(name, **{**AUTO, **spec})
    await p.until(lambda: p.sync(name) == "Synced" and p.phase(name) == "Succeeded")
    return sha


async def test_more_than_the_budget_is_held_while_the_rest_of_the_commit_is_applied() -> None:
    async with play() as p:
        await deployed(p, SEVEN)
        sha = await p.commit(c0=config_map("c0", k="new"))
        await p.until(lambda: held(p) and p.data("c0") == {"k": "new"})
        await p.until(
            lambda: p.status()["sync"] | {"comparedTo": 0} == {"comparedTo": 0, "revision": sha, "status": "OutOfSync"}
        )
        assert names(p) == sorted(SEVEN)
        digest = digest_in(held(p))
        gone = ", ".join(f"ConfigMap shop/c{n}" for n in range(1, 7))
        assert held(p) == (
            "DeletionHeldWarning: 6 of 7 objects would be deleted, and the budget is 5 (5,10%, --deletion-budget). "
            f"Nothing is deleted; these would be: {gone}. If that is meant: kilde app approve shop --plan {digest}, "
            f"or the annotation kilde.dev/approve-deletions: {digest} of the Application in Git"
        )
        await p.by_hand("c0", k="hand")
        await p.until(lambda: p.data("c0") == {"k": "new"}, "healed while deletions are held")
        await p.quiet()
        assert decisions(p) == [("deletions held", "automated", "Held")]
        assert [text.partition(":")[0] for text in p.events()].count("DeletionHeld") == 1


@pytest.mark.parametrize("heals", [True, False])
async def test_an_approval_by_hand_releases_them_and_says_who(heals: bool) -> None:
    async with play() as p:
        await deployed(p, SEVEN, syncPolicy={"automated": {"prune": True, "selfHeal": heals}})
        await p.commit(**ONE)
        await p.until(lambda: held(p) and p.phase() == "Succeeded")
        await p.patch_application(
            {"metadata": {"annotations": {"kilde.dev/approved-deletions": f"{digest_in(held(p))} ann"}}}
        )
        await p.until(lambda: names(p) == ["c0"] and p.sync() == "Synced" and not p.conditions())
        assert decisions(p) == [("deletions held", "automated", "Held"), ("deletions approved", "ann", "Approved")]
        await p.until(lambda: "kilde.dev/approved-deletions" not in annotations(p))


async def test_an_approval_in_git_releases_them() -> None:
    async with play() as p:
        await deployed(p, SEVEN)
        await p.commit(**ONE)
        await p.until(lambda: held(p))
        await p.patch_application(
            {"metadata": {"annotations": {"kilde.dev/approve-deletions": f"old, {digest_in(held(p))}"}}}
        )
        await p.until(lambda: names(p) == ["c0"] and not p.conditions())
        assert decisions(p)[1:] == [
            ("deletions approved", "annotation kilde.dev/approve-deletions, written by person", "Approved")
        ]


async def test_an_approval_of_other_deletions_releases_nothing() -> None:
    async with play() as p:
        await deployed(p, SEVEN)
        await p.commit(**ONE)
        await p.until(lambda: held(p))
        first = digest_in(held(p))
        await p.commit(c1=SEVEN["c1"])
        await p.until(lambda: digest_in(held(p)) not in ("", first))
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/approve-deletions": first}}})
        await p.until(lambda: p.phase() == "Succeeded")
        await p.quiet()
        assert names(p) == sorted(SEVEN)
        assert len(decisions(p)) == 2


async def test_the_approval_survives_a_commit_that_changes_nothing_here() -> None:
    async with play() as p:
        await deployed(p, SEVEN)
        await p.commit(**ONE)
        await p.until(lambda: held(p))
        digest = digest_in(held(p))
        sha = p.sources.commit("https://git.example/shop.git", {"README": b"x", "app/c0.yaml": ONE["c0"].encode()})
        await p.controller.push(frozenset(["https://git.example/shop.git"]))
        await p.until(lambda: p.status()["sync"]["revision"] == sha)
        assert digest_in(held(p)) == digest


async def test_a_namespace_is_held_alone() -> None:
    space = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "orders"}})
    async with play() as p:
        await deployed(p, {"space": space, **ONE})
        await p.commit(**ONE)
        await p.until(lambda: held(p))
        assert held(p).startswith(
            "DeletionHeldWarning: Namespace orders: everything in the namespace goes with it. Nothing"
        )
        assert ObjectRef("", "Namespace", "", "orders") in p.cluster.objects()


async def test_a_claim_is_held_and_the_fate_of_its_data_told() -> None:
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"},
              "spec": {"persistentVolumeReclaimPolicy": "Delete"}}  # fmt: skip
    claim = json.dumps({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
                        "spec": {"accessModes": ["ReadWriteOnce"], "volumeName": "pv-1",
                                 "resources": {"requests": {"storage": "1Gi"}}}})  # fmt: skip
    async with play() as p:
        await p.cluster.create(
            Resource("", "v1", "PersistentVolume", "persistentvolumes", False), volume, manager="csi"
        )
        await deployed(p, {"claim": claim, **ONE})
        await p.commit(**ONE)
        await p.until(lambda: held(p))
        loss = "PersistentVolumeClaim shop/data (data loss: its volume pv-1 is deleted with it (reclaim policy Delete))"
        assert loss in held(p)


async def test_a_sync_that_a_person_asks_for_is_held_as_well_and_stays_told() -> None:
    async with play() as p:
        await p.commit(**SEVEN)
        await p.application()
        await p.patch_application({"operation": {"initiatedBy": {"username": "ann"}, "sync": {}}})
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await p.commit(**ONE)
        await p.until(lambda: p.sync() == "OutOfSync")
        prune = {"operation": {"initiatedBy": {"username": "ann"}, "sync": {"prune": True}}}
        await p.patch_application(prune)
        await p.until(lambda: held(p) and p.phase() == "Succeeded")
        await p.quiet()
        assert names(p) == sorted(SEVEN)
        results = p.status()["operationState"]["syncResult"]["resources"]
        assert [r["message"] for r in results if r["status"] == "PruneSkipped"] == [
            "ignored (over the deletion budget)"
        ] * 6
        await p.patch_application(
            {"metadata": {"annotations": {"kilde.dev/approved-deletions": f"{digest_in(held(p))} ann"}}, **prune}
        )
        await p.until(lambda: names(p) == ["c0"] and not p.conditions())


async def test_a_sync_to_another_revision_is_held_and_released_as_well_and_a_dry_run_says_so() -> None:
    async with play() as p:
        old = await p.commit(**ONE)
        await p.commit(**SEVEN)
        await p.application()
        ask: dict[str, Any] = {"initiatedBy": {"username": "ann"}, "sync": {}}
        await p.patch_application({"operation": ask})
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        back = {"revision": old, "prune": True}
        await p.patch_application({"operation": {**ask, "sync": {**back, "dryRun": True}}})
        await p.until(lambda: skipped(p) == 6)
        assert decisions(p) == []
        await p.patch_application({"operation": {**ask, "sync": back}})
        await p.until(lambda: "; deletions are held: " in p.status()["operationState"].get("message", ""))
        digest = digest_in(p.status()["operationState"]["message"])
        assert (names(p), skipped(p)) == (sorted(SEVEN), 6)
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/approved-deletions": f"{digest} ann"}}})
        await p.quiet()
        await p.patch_application({"operation": {**ask, "sync": back}})
        await p.until(lambda: names(p) == ["c0"])
        assert [cause for cause, _, _ in decisions(p)] == ["deletions held", "deletions approved"]


def skipped(p: Play) -> int:
    results = (p.status().get("operationState") or {}).get("syncResult", {}).get("resources") or ()
    return sum(1 for r in results if r["message"] == "ignored (over the deletion budget)")


async def test_the_most_specific_budget_counts_and_a_project_caps() -> None:
    project = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
               "metadata": {"name": "team", "namespace": "argocd", "annotations": {"kilde.dev/deletion-budget": "off"}},
               "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}}  # fmt: skip
    async with play() as p:
        await p.cluster.create(PROJECTS, project, manager="person")
        await deployed(p, SEVEN, project="team")
        annotate = {"metadata": {"annotations": {"kilde.dev/deletion-budget": "0"}}}
        await p.patch_application(annotate)
        await p.commit(**{name: text for name, text in SEVEN.items() if name != "c6"})
        await p.until(lambda: "budget is 0 (0, annotation kilde.dev/deletion-budget of the Application)" in held(p))
        annotate["metadata"]["annotations"]["kilde.dev/deletion-budget"] = "5"
        await p.patch_application(annotate)
        await p.until(lambda: "c6" not in names(p) and not p.conditions())
        await p.cluster.patch(
            PROJECTS,
            "argocd",
            "team",
            {"metadata": {"annotations": {"kilde.dev/deletion-budget-cap": "1"}}},
            manager="person",
        )
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/deletion-budget": "off"}}})
        await p.commit(**ONE)
        await p.until(lambda: "budget is 1 (1, the cap of AppProject team)" in held(p))
        await p.cluster.patch(
            PROJECTS,
            "argocd",
            "team",
            {"metadata": {"annotations": {"kilde.dev/deletion-budget-cap": None}}},
            manager="person",
        )
        await p.until(lambda: names(p) == ["c0"])


async def test_a_base_that_is_emptied_does_not_empty_all_applications() -> None:
    """Each loses three of its four objects, which its own budget lets through; together they may lose five."""
    fleet = FleetBudget(budget=Budget(objects=5), seconds=1.0)
    files = {
        f"c{n}": json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{n}"}}) for n in range(4)
    }
    async with play(fleet_budget=fleet) as p:
        await p.commit(**files)
        for name in ("one", "two", "three", "four"):
            space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await p.cluster.create(NAMESPACES, space, manager="person")
            destination = {"server": "https://kubernetes.default.svc", "namespace": name}
            await p.application(name, destination=destination, **AUTO)
            await p.until(lambda name=name: p.sync(name) == "Synced" and p.phase(name) == "Succeeded")  # type: ignore[misc]
        await p.commit(c0=files["c0"])
        spaces = ("one", "two", "three", "four")
        await p.until(lambda: sum(bool(held(p, name)) for name in spaces) == 3)
        await p.quiet(1.5)  # the time of the fleet's budget is over: what was held stays so
        left = sum(1 for ref in p.cluster.objects() if ref.kind == "ConfigMap" and ref.namespace in spaces)
        assert left == 13
        assert sum(bool(held(p, name)) for name in spaces) == 3
        name = next(name for name in spaces if held(p, name))
        approve = {"kilde.dev/approved-deletions": f"{digest_in(held(p, name))} ann"}
        await p.patch_application({"metadata": {"annotations": approve}}, name)
        await p.until(lambda: p.sync(name) == "Synced" and not p.conditions(name))
        await p.until(lambda: not {key for key in annotations(p, name) if key.startswith("kilde.dev/")})


async def test_switched_off_everything_goes() -> None:
    off = Budget(off=True)
    async with play(deletion_budget=off, fleet_budget=FleetBudget(budget=off)) as p:
        await deployed(p, SEVEN)
        await p.commit(**ONE)
        await p.until(lambda: names(p) == ["c0"] and p.sync() == "Synced" and not p.conditions())
        assert decisions(p) == []


def annotations(p: Play, name: str = "shop") -> dict[str, str]:
    body = p.cluster.objects()[ObjectRef("argoproj.io", "Application", "argocd", name)]
    return body["metadata"].get("annotations") or {}
