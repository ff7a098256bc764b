"""Remote bases in the controller: refused, unless a rule allows the repository to the application's project."""

from typing import Any

import pytest

from engine.world import PROJECTS, URL, Play, config_map, play

pytestmark = pytest.mark.anyio
LIB = "https://git.example/org/lib"
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}


def library(p: Play, level: str) -> str:
    files = {"base/kustomization.yaml": b"resources: [cm.yaml]\n", "base/cm.yaml": config_map("lib", k=level).encode()}
    return p.sources.commit(LIB, files)


def overlay(p: Play, *more: str, **other: bytes) -> str:
    bases = ", ".join(repr(one) for one in (f"{LIB}/base", *more))
    text = f"resources: [{bases}]\nnamePrefix: o-\n"
    return p.sources.commit(URL, {"app/kustomization.yaml": text.encode(), **other})


async def project(p: Play, *repositories: str) -> None:
    """A project whose kustomizations may use bases of other repositories, of those that it permits."""
    body: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "team", "namespace": "argocd", "annotations": {"kilde.dev/remote-bases": "allowed"}},
        "spec": {"sourceRepos": list(repositories), "destinations": [{"server": "*", "namespace": "*"}]},
    }
    await p.cluster.apply(PROJECTS, body, manager="person")


async def test_by_default_none_is_fetched_and_the_condition_says_so() -> None:
    async with play() as p:
        p.sources.create(LIB)
        library(p, "one")
        overlay(p)
        await p.application(**AUTO)
        await p.until(p.conditions)
        assert "remote bases are not allowed here" in p.conditions()[0]
        assert f"{LIB}/base" in p.conditions()[0]
        assert p.data("o-lib") is None


async def test_a_project_that_says_so_gets_them_and_what_is_pushed_there() -> None:
    async with play() as p:
        p.sources.create(LIB)
        library(p, "one")
        overlay(p)
        await project(p, URL, LIB)
        await p.application(project="team", **AUTO)
        await p.until(lambda: p.data("o-lib") == {"k": "one"})
        await p.until(lambda: p.sync() == "Synced")
        await p.quiet()
        renders = p.controller.context.renderer.renders
        overlay(p, README=b"for people")
        await p.controller.push(frozenset([URL]))
        await p.quiet()
        assert p.controller.context.renderer.renders == renders
        library(p, "two")
        await p.controller.push(frozenset([LIB]))
        await p.until(lambda: p.data("o-lib") == {"k": "two"})


async def test_another_repository_is_refused_and_so_is_a_file_from_the_web() -> None:
    async with play() as p:
        p.sources.create(LIB)
        library(p, "one")
        overlay(p, "https://elsewhere.example/org/repo/base")
        await project(p, URL, LIB)
        await p.application(project="team", **AUTO)
        await p.until(p.conditions)
        assert "https://elsewhere.example/org/repo/base: remote bases are not allowed here" in p.conditions()[0]
        assert p.data("o-lib") is None


async def test_programs_never_run() -> None:
    async with play() as p:
        kustomization = b"resources: [cm.yaml]\nhelmCharts: [{name: x}]\n"
        p.sources.commit(URL, {"app/kustomization.yaml": kustomization, "app/cm.yaml": config_map("c").encode()})
        await project(p, "*")
        await p.application(project="team", **AUTO)
        await p.until(p.conditions)
        assert "must specify --enable-helm" in p.conditions()[0]


async def test_a_project_that_comes_to_permit_the_repository_lets_it_in() -> None:
    async with play() as p:
        p.sources.create(LIB)
        library(p, "one")
        overlay(p)
        await project(p, URL)
        await p.application(project="team", **AUTO)
        await p.until(p.conditions)
        assert "remote bases are not allowed here" in p.conditions()[0]
        await project(p, URL, LIB)
        await p.until(lambda: p.data("o-lib") == {"k": "one"})
