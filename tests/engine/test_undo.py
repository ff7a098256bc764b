"""What a sync deleted is kept before it goes, comes back, stays until Git has it again, and goes when somebody says so."""

import json
from typing import Any

import pytest

from engine.world import APPLICATIONS, Play, config_map, play
from kilde.adapters.clock import SystemClock
from kilde.core.apply.outcome import Outcome
from kilde.core.apps.application import read_application
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.ledger.operation import OperationView, operations
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.budget import Budget
from kilde.core.plan.held import digest_in
from kilde.core.plan.restoring import Kept
from kilde.engine.beside.undoing import Undoing
from kilde.engine.records.accounts import Accounts
from kilde.ports.cluster import Resource
from kilde.testing.undo import MemoryUndo

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
SHOP = "argocd/shop"
SECRETS = Resource("", "v1", "Secret", "secrets", True)


def secret(name: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"p": "YzRuYXJ5"}})


async def undo(p: Play, operation: int = 0, name: str = "shop") -> Outcome:
    known = p.undo.operations(f"argocd/{name}")
    kept = p.undo.read(f"argocd/{name}", operation or known[0].operation)
    raw = p.cluster.objects().get(ObjectRef("argoproj.io", "Application", "argocd", name))
    app = read_application(raw or {"metadata": {"name": name, "namespace": "argocd"}})
    clock = SystemClock()
    undoing = Undoing(p.cluster, p.cluster, clock, Accounts(p.records, clock), manager="kilde")
    return await undoing.undo(app, kept, asked_by="ann", exists=raw is not None)


def told(p: Play, cause: str) -> list[OperationView]:
    return [one for one in operations(p.records.records, p.records.people()) if one.cause.startswith(cause)]


def held(p: Play) -> str:
    return next((text for text in p.conditions() if text.startswith("DeletionHeldWarning: ")), "")


async def pruned(p: Play) -> None:
    """`a` stays, `b` and a Secret were deployed and are pruned."""
    await p.commit(a=config_map("a"), b=config_map("b", k="one"), s=secret("s"))
    await p.application(**AUTO)
    await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
    await p.commit(a=config_map("a"))
    await p.until(lambda: p.data("b") is None and p.sync() == "Synced")


async def test_what_was_pruned_comes_back_and_is_left_there_until_git_has_it_again() -> None:
    async with play() as p:
        await pruned(p)
        done = await undo(p)
        assert [(str(one.ref), one.message) for one in done.results] == [
            ("Secret shop/s", "put back"),
            ("ConfigMap shop/b", "put back"),
        ]
        assert p.data("b") == {"k": "one"}
        assert p.cluster.objects()[ObjectRef("", "Secret", "shop", "s")]["data"] == {"p": "YzRuYXJ5"}
        await p.until(lambda: held(p))
        await p.quiet()
        assert p.data("b") == {"k": "one"}
        assert "was put back by kilde app undo, and Git does not have it again yet. Nothing is deleted" in held(p)
        [record] = told(p, "undo of operation")
        assert (record.asked_by, record.phase, record.message) == ("ann", "Succeeded", "2 of 2 objects put back")
        await p.commit(a=config_map("a"), b=config_map("b", k="two"), s=secret("s"))
        await p.until(lambda: p.data("b") == {"k": "two"} and p.sync() == "Synced" and not p.conditions())
        body = p.cluster.objects()[ObjectRef("", "ConfigMap", "shop", "b")]
        assert "kilde.dev/restored" not in body["metadata"]["annotations"]
        await p.commit(a=config_map("a"))
        await p.until(lambda: p.data("b") is None and p.sync() == "Synced")


async def test_what_was_put_back_goes_when_somebody_approves() -> None:
    async with play(deletion_budget=Budget(off=True)) as p:
        await pruned(p)
        await undo(p)
        await p.until(lambda: held(p))
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/approve-deletions": digest_in(held(p))}}})
        await p.until(lambda: p.data("b") is None and p.sync() == "Synced" and not p.conditions())


async def test_what_is_there_is_left_as_it_is_and_what_the_cluster_refuses_is_told_without_a_value() -> None:
    async with play() as p:
        await pruned(p)
        await undo(p)
        p.cluster.refuse = lambda verb, ref: (
            ClusterError('Secret "s" is invalid: data[p]: "c4nary"', status=422, reason="Invalid")
            if verb == "apply" and ref.name == "s"
            else None
        )
        await p.cluster.delete(SECRETS, "shop", "s", propagation="Background")
        done = await undo(p)
        assert (str(done.phase), done.message) == ("Failed", "1 of 2 objects could not be put back")
        assert done.results[1].message == "is there already, and was left as it is"
        assert "c4nary" not in json.dumps([r.body for r in p.records.records])


async def test_the_objects_of_a_deleted_application_come_back_too() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), b=config_map("b"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await p.until(lambda: p.data("a") is None and p.data("b") is None)
        await p.until(lambda: not p.controller.context.fleet.names())
        assert (await undo(p)).message == "2 of 2 objects put back"
        assert p.data("a") == {"k": "v"}
        await p.quiet()
        assert p.data("b") == {"k": "v"}


async def test_what_cannot_be_kept_is_not_deleted() -> None:
    class Full:
        """A store on a full disk."""

        def keep(self, objects: Any) -> None:
            raise KildeError("deleted objects cannot be kept: the disk is full")

        def approved(self, application: str, plan: str) -> tuple[str, frozenset[str]]:
            return "", frozenset()

    async with play() as p:
        await p.commit(a=config_map("a"), b=config_map("b"))
        await p.application(**{**AUTO, "syncPolicy": {"automated": {"prune": True}, "retry": {"limit": 0}}})
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        object.__setattr__(p.controller.context.world, "undo", Full())
        await p.commit(a=config_map("a"))
        await p.until(lambda: p.phase() == "Failed")
        assert p.data("b") == {"k": "v"}
        assert "not pruned: deleted objects cannot be kept: the disk is full" in p.status()["operationState"]["message"]


async def test_a_deletion_whose_objects_could_not_be_kept_goes_on_once_they_can() -> None:
    async with play(deletion_poll=0.05) as p:
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        world = p.controller.context.world
        object.__setattr__(world, "undo", MemoryUndo(room=1))
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await p.until(p.conditions)
        assert p.data("a") == {"k": "v"}
        object.__setattr__(world, "undo", p.undo)
        await p.until(lambda: p.data("a") is None, "deleted")
        await p.until(lambda: not p.controller.context.fleet.names())


async def test_what_an_approved_sync_had_begun_to_delete_stays_approved_after_a_restart() -> None:
    """Seven may go, two of them went before a crash: the other five with a StatefulSet among them are not asked about again."""
    files = {f"c{n}": config_map(f"c{n}") for n in range(8)}
    async with play() as p:
        await p.commit(**files)
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await p.commit(c0=files["c0"])
        await p.until(lambda: held(p))
        digest, rt = digest_in(held(p)), p.controller.context.runtimes["shop"]
        assert rt.wish is not None
        rendered, bodies = rt.wish.digest, p.cluster.objects()
        p.undo.keep(
            Kept(
                application=SHOP,
                operation=99,
                at=1.0,
                ref=ref,
                uid=body["metadata"]["uid"],
                body=body,
                plan=digest,
                rendered=rendered,
            )
            for ref, body in bodies.items()
            if ref.kind == "ConfigMap" and ref.namespace == "shop" and ref.name != "c0"
        )
        await p.delete_by_hand("c1")  # the seven were one: another digest
        await p.until(lambda: digest_in(held(p)) not in ("", digest))
        await p.patch_application({"metadata": {"annotations": {"kilde.dev/approve-deletions": digest}}})
        await p.until(lambda: p.sync() == "Synced" and not p.conditions())
        assert sorted(r.name for r in p.cluster.objects() if (r.kind, r.namespace) == ("ConfigMap", "shop")) == ["c0"]
