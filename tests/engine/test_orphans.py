"""Orphaned resources with a controller around them: counted where a project asks, watched nowhere else."""

import json
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, NAMESPACES, PROJECTS, Play, config_map, play
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", True)
WARNING = "OrphanedResourceWarning: Application has {} orphaned resources"


async def project(p: Play, orphaned: dict[str, Any] | None, name: str = "team") -> None:
    spec: dict[str, Any] = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    if orphaned is not None:
        spec["orphanedResources"] = orphaned
    meta = {"name": name, "namespace": "argocd"}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": spec}
    await p.cluster.apply(PROJECTS, body, manager="person")


async def lone(p: Play, name: str, space: str = "shop") -> None:
    body = {**json.loads(config_map(name)), "metadata": {"name": name, "namespace": space}}
    await p.cluster.create(CONFIG_MAPS, body, manager="person")


async def test_orphans_are_counted_as_they_come_and_go() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await project(p, {"warn": True, "ignore": [{"kind": "ConfigMap", "name": "known-*"}]})
        await lone(p, "before")
        await p.application(project="team", syncPolicy={"automated": {}})
        await p.until(lambda: p.conditions() == [WARNING.format(1)])
        assert p.data("a") == {"k": "v"}  # its own object is none
        await lone(p, "later")
        await lone(p, "known-one")
        await p.until(lambda: p.conditions() == [WARNING.format(2)])
        await p.cluster.delete(CONFIG_MAPS, "shop", "before", propagation="Background")
        await p.until(lambda: p.conditions() == [WARNING.format(1)])
        await project(p, {"warn": False})
        await p.until(lambda: p.conditions() == [])


async def test_nothing_is_watched_for_a_project_that_does_not_ask() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await project(p, None)
        await lone(p, "alone")
        await p.application(project="team", syncPolicy={"automated": {}})
        await p.until(lambda: p.data("a"))
        await p.until(lambda: p.sync() == "Synced")
        assert p.conditions() == []
        assert not [task for task in p.tasks() if task.startswith("orphans:")]
        await project(p, {"warn": True})
        await p.until(lambda: p.conditions() == [WARNING.format(1)])
        assert "orphans: configmaps shop" in p.tasks()
        await project(p, None)
        await p.until(lambda: not [task for task in p.tasks() if task.startswith("orphans:")])
        await p.until(lambda: p.conditions() == [])


async def test_what_another_application_has_in_the_namespace_is_no_orphan_until_that_is_gone() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await project(p, {"warn": True})
        await p.application(project="team", syncPolicy={"automated": {}})
        other = {**json.loads(config_map("b")), "metadata": {"name": "b", "namespace": "shop"}}
        other["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "other:/ConfigMap:shop/b"}
        await p.cluster.create(CONFIG_MAPS, other, manager="person")
        await p.until(lambda: p.conditions() == [WARNING.format(1)])
        await p.application("other", project="team", source=None, destination={"namespace": "elsewhere"})
        await p.until(lambda: p.conditions() == [])


async def test_many_namespaces_are_watched_as_one() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await project(p, {"warn": True})
        for number in range(9):
            space = f"space-{number}"
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
            await p.cluster.create(NAMESPACES, body, manager="person")
            await lone(p, "alone", space)
            destination = {"server": "https://kubernetes.default.svc", "namespace": space}
            await p.application(f"app-{number}", project="team", destination=destination)
        for number in range(9):
            await p.until(lambda n=number: WARNING.format(1) in p.conditions(f"app-{n}"))  # type: ignore[misc]
        assert [task for task in p.tasks() if task.startswith("orphans: configmaps")] == ["orphans: configmaps "]
