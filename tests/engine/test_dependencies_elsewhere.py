"""Dependencies between clusters: who waits for an object of one that is away says so, slows nobody, and goes on at once."""

import asyncio
from typing import Any

import pytest

from engine.world import APPLICATIONS, CONFIG_MAPS, Play, config_map, play
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.testing.cluster import FakeCluster

WEST = "https://west.example"
AUTO = {"automated": {"prune": True, "selfHeal": True}}
DEPENDS = "kilde.dev/depends-on"

pytestmark = pytest.mark.anyio


async def west_of(p: Play, **secret: str) -> FakeCluster:
    west = await p.another_cluster(WEST)
    await p.cluster_secret("cluster-west", name="west", server=WEST, config="{}", **secret)
    return west


async def app(p: Play, name: str, cluster: str, depends: str = "") -> None:
    """An Application that syncs the folder of its name."""
    meta: dict[str, Any] = {"name": name, "namespace": "argocd", "annotations": {DEPENDS: depends}}
    meta["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    spec = {
        "project": "default",
        "source": {"repoURL": "https://git.example/shop.git", "path": name, "targetRevision": "HEAD"},
        "destination": {"name": cluster, "namespace": "shop"},
        "syncPolicy": AUTO,
    }
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": spec}
    await p.cluster.create(APPLICATIONS, body, manager="person")


async def commit(p: Play, *names: str) -> None:
    """A ConfigMap for each of these applications."""
    files = {f"{name}/a.yaml": config_map(name).encode() for name in names}
    p.sources.commit("https://git.example/shop.git", files)
    await p.controller.push(frozenset(["https://git.example/shop.git"]))


async def ready(west: FakeCluster) -> None:
    """What is waited for is there."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ready", "namespace": "shop"}}
    await west.create(CONFIG_MAPS, body, manager="person")


def waits(p: Play, name: str) -> str:
    """What the application waits for, without the time; "" for nothing."""
    found = [text for text in p.conditions(name) if text.startswith("DependencyWaiting: ")]
    return found[0].partition(" for ")[2] if found else ""


def has(cluster: FakeCluster, name: str) -> bool:
    return ObjectRef("", "ConfigMap", "shop", name) in cluster.objects()


ITEM = "ConfigMap shop/ready on west"


async def test_who_waits_for_an_object_says_that_its_cluster_is_away_and_sees_it_come_back_at_once() -> None:
    async with play() as p:
        west = await west_of(p)
        await commit(p, "front")
        await app(p, "front", "in-cluster", ITEM)
        await p.until(lambda: waits(p, "front") == f"{ITEM}, which does not exist")
        west.refuse = lambda verb, ref: ClusterError(f"cannot connect to {WEST}: refused", reason="Unreachable")
        words = f"cannot be looked at: cluster west ({WEST}): cannot connect to {WEST}: refused"
        await p.until(lambda: waits(p, "front") == f"{ITEM}, which {words}", "says that it is away")
        begun = asyncio.get_running_loop().time()
        west.refuse = None
        await p.until(lambda: waits(p, "front") == f"{ITEM}, which does not exist", "sees it again")
        await ready(west)
        await p.until(lambda: has(p.cluster, "front"), "goes on")
        assert asyncio.get_running_loop().time() - begun < 5.0  # and not when it is looked at unasked


async def test_those_that_wait_for_a_cluster_that_swallows_everything_slow_nobody_else() -> None:
    async with play(parallel_passes=2, pulse_patience=10.0, watch_patience=20.0) as p:
        west = await west_of(p)
        names = [f"front-{number}" for number in range(4)]
        await commit(p, *names, "beside")
        west.hold = lambda verb, ref: never  # takes every request and never answers
        never = asyncio.Event()
        for name in names:
            await app(p, name, "in-cluster", ITEM)
        await p.until(
            lambda: west.counts().get("list", 0) + west.counts().get("discovery", 0) > 0, "is being looked at"
        )
        begun = asyncio.get_running_loop().time()
        await app(p, "beside", "in-cluster")
        await p.until(lambda: p.sync("beside") == "Synced")
        assert asyncio.get_running_loop().time() - begun < 3.0
        west.hold = None
        never.set()
        await ready(west)
        await p.until(lambda: all(has(p.cluster, name) for name in names), "goes on")


async def test_an_object_that_may_not_be_watched_says_so_without_delay() -> None:
    async with play(watch_patience=20.0) as p:
        west = await west_of(p)
        denied = ClusterError("configmaps is forbidden", about="configmaps", status=403, reason="Forbidden")
        west.refuse = lambda verb, ref: denied if verb in ("list", "watch") else None
        await commit(p, "front")
        begun = asyncio.get_running_loop().time()
        await app(p, "front", "in-cluster", ITEM)
        await p.until(lambda: "configmaps is forbidden" in waits(p, "front"), "says why")
        assert asyncio.get_running_loop().time() - begun < 5.0
        await ready(west)
        west.refuse = None
        await p.until(lambda: has(p.cluster, "front"), "goes on once it may")


async def test_nothing_is_watched_outside_of_the_namespaces_of_a_cluster_secret() -> None:
    async with play() as p:
        west = await west_of(p, namespaces="other")
        await ready(west)
        await commit(p, "front")
        await app(p, "front", "in-cluster", ITEM)
        words = 'Namespace "shop" for ConfigMap "ready" is not managed'
        await p.until(lambda: waits(p, "front") == f"{ITEM}, which cannot be looked at: {words}")
        assert west.counts().get("list", 0) == 0


async def test_a_deletion_waits_for_who_depends_on_it_in_a_cluster_that_is_away() -> None:
    async with play() as p:
        west = await west_of(p)
        await commit(p, "front", "edge")
        await app(p, "front", "in-cluster")
        await app(p, "edge", "west", "ConfigMap shop/front on in-cluster")
        await p.until(lambda: has(west, "edge") and p.sync("edge") == "Synced")
        west.refuse = lambda verb, ref: ClusterError("away", reason="Unreachable")
        await p.until(lambda: p.sync("edge") == "Unknown", "is known to be away")
        for name in ("front", "edge"):
            await p.cluster.delete(APPLICATIONS, "argocd", name)
        held = "DeletionWaiting: deletion waits for edge, which depends on it and is being deleted"
        await p.until(lambda: held in p.conditions("front"))
        await p.quiet()
        assert has(p.cluster, "front")
        west.refuse = None
        await p.until(lambda: not has(p.cluster, "front"))
        assert not has(west, "edge")


async def test_a_cycle_over_objects_of_two_clusters_is_drawn() -> None:
    async with play() as p:
        west = await west_of(p)
        await commit(p, "front", "base")
        await app(p, "base", "west", "ConfigMap shop/front on in-cluster")
        await app(p, "front", "in-cluster", "ConfigMap shop/base on west")
        edges = {
            "front": "front: kilde.dev/depends-on item 1, ConfigMap shop/base of base",
            "base": "base: kilde.dev/depends-on item 1, ConfigMap shop/front of front",
        }
        for name, other in (("front", "base"), ("base", "front")):
            drawn = f"DependencyError: depends on itself: {name} → {other} → {name} ({edges[name]}; {edges[other]})"
            await p.until(lambda name=name, drawn=drawn: drawn in p.conditions(name))  # type: ignore[misc]
        assert not has(west, "base")
        assert not has(p.cluster, "front")
