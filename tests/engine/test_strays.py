"""Objects with an application's mark that its own kinds do not lead to, and marks that controllers copied."""

import json
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, NAMESPACES, Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import ANNOTATION, LABEL, TrackingId, is_claim_of
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio
ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", True)
STRAY = ObjectRef("", "ServiceAccount", "shop", "stray")
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {}}}
PRUNING: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True}}}


async def stray(p: Play, *, name: str = "stray", id_of: ObjectRef = STRAY, **meta: Any) -> None:
    marks = {ANNOTATION: str(TrackingId("shop", id_of))}
    body = {"metadata": {"name": name, "namespace": "shop", "annotations": marks, **meta}}
    await p.cluster.create(ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", **body}, manager="person")


def listed(p: Play) -> list[dict[str, Any]]:
    same = ("version", "namespace")
    return [{key: value for key, value in one.items() if key not in same} for one in p.status().get("resources") or ()]


A = {"kind": "ConfigMap", "name": "a", "status": "Synced"}


async def test_what_an_application_left_before_it_was_made_again_is_pruned() -> None:
    async with play() as p:
        await stray(p)
        await p.commit(a=config_map("a"))
        await p.application(**PRUNING)
        await p.until(lambda: p.sync() == "Synced" and STRAY not in p.cluster.objects())
        assert listed(p) == [A]


async def test_an_application_of_the_same_name_elsewhere_keeps_what_it_has() -> None:
    """Two installations on one cluster, each with its `shop`: neither may take the other's objects for its own."""
    classes = Resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", False)
    async with play() as p:
        await p.cluster.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "theirs"}}, manager="person"
        )
        await stray(p, id_of=ObjectRef("", "ServiceAccount", "theirs", "stray"), namespace="theirs")
        marks = {ANNOTATION: str(TrackingId("shop", ObjectRef(classes.group, classes.kind, "theirs", "far")))}
        body = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1}
        await p.cluster.create(classes, {**body, "metadata": {"name": "far", "annotations": marks}}, manager="person")
        await p.commit(a=config_map("a"))
        await p.application(**PRUNING)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        assert {"stray", "far"} <= {ref.name for ref in p.cluster.objects()}
        assert listed(p) == [A]


async def test_one_look_is_for_all_applications_that_are_there() -> None:
    async with play() as p:
        looks: list[ObjectRef] = []

        def note(verb: str, ref: ObjectRef) -> None:
            if (verb, ref.kind) == ("list", "ServiceAccount"):
                looks.append(ref)

        p.cluster.hold = note
        await stray(p, id_of=ObjectRef("", "ServiceAccount", "shop", "stray"))
        await p.commit(a=config_map("a"))
        names = ["shop", *(f"shop-{n}" for n in range(19))]
        for name in names:
            await p.application(name, syncPolicy={})
        await p.until(lambda: all(p.status(name).get("sync", {}).get("status") == "OutOfSync" for name in names))
        gone = {"kind": "ServiceAccount", "name": "stray", "status": "OutOfSync", "requiresPruning": True}
        assert gone in listed(p)
        assert len(looks) <= 3


async def test_a_refresh_looks_at_all_kinds() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await stray(p)
        await stray(p, name="copy")
        made = {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}]}
        await stray(p, name="made", id_of=ObjectRef("", "ServiceAccount", "shop", "made"), **made)
        await p.quiet()
        assert (p.sync(), listed(p)) == ("Synced", [A])
        await p.patch_application({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})
        gone = {"kind": "ServiceAccount", "name": "stray", "status": "OutOfSync", "requiresPruning": True}
        await p.until(lambda: listed(p) == [A, {"kind": "ServiceAccount", "name": "copy"}, gone])
        assert p.sync() == "OutOfSync"
        await p.cluster.delete(ACCOUNTS, "shop", "stray", propagation="Background")
        await p.until(lambda: p.sync() == "Synced")


async def test_what_carries_the_label_and_has_an_owner_is_its_owners() -> None:
    settings = {"application.resourceTrackingMethod": "label"}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": {LABEL: "shop"}}}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "1"}
    async with play() as p:
        cm = {"metadata": {"name": "argocd-cm", "namespace": "argocd"}, "data": settings}
        await p.cluster.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", **cm}, manager="person")
        await p.commit(a=config_map("a"))
        await p.application(**PRUNING)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        for name, more in (("made", {"ownerReferences": [owner]}), ("extra", {})):
            meta = {**body["metadata"], "name": name, "namespace": "shop", **more}
            await p.cluster.create(CONFIG_MAPS, json.loads(json.dumps({**body, "metadata": meta})), manager="person")
        extra = {"kind": "ConfigMap", "name": "extra", "status": "OutOfSync", "requiresPruning": True}
        await p.until(lambda: listed(p) == [A, extra])
        await p.patch_application({"operation": {"sync": {"prune": True}}})
        await p.until(lambda: p.data("extra") is None and p.sync() == "Synced")
        assert (p.data("made"), listed(p)) == ({}, [A])


@pytest.mark.parametrize(
    ("name", "space", "is_made"),
    [
        ("data-db-0", "shop", True),
        ("data-db-12", "shop", True),
        ("data-db-x", "shop", False),
        ("log-db-0", "shop", False),
        ("data-db-0", "other", False),
        ("my-data-db-0", "shop", False),
    ],
)
async def test_claims_of_a_stateful_set(name: str, space: str, is_made: bool) -> None:
    templates = [{"metadata": {"name": "data"}}, {"metadata": {"name": "a.b"}}]
    found = {"metadata": {"name": "db", "namespace": "shop"}, "spec": {"volumeClaimTemplates": templates}}
    assert is_claim_of(ObjectRef("", "PersistentVolumeClaim", space, name), found) is is_made
