"""Applications whose source is a chart: by the real helm, from a repository that the real helm indexed."""

import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from build_real import where

from adapters.charts.servers import TEMPLATE, Answers, answering, chart, helm, index
from engine.test_projects import project
from engine.world import CONFIG_MAPS, URL, Play, play
from kilde.adapters.charts.downloads import WebDownloads
from kilde.adapters.charts.sources import ChartSources
from kilde.adapters.github_apps import GitHubApps
from kilde.adapters.programs.helm_template import HelmTemplate
from kilde.core.basics.errors import InvalidInput
from kilde.core.source.chart_place import ChartPlace
from kilde.engine.beside.inspect import plan_rollback
from kilde.engine.beside.looking import Eyes
from kilde.engine.fleet.applications import SECRETS
from kilde.ports.sources import Credentials
from kilde.testing.clock import FakeClock
from kilde.testing.sources import FakeSources
from kilde.testing.web import FakeWeb
from kilde.wiring.sourcing import AllSources

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}


@contextlib.asynccontextmanager
async def shop(tmp_path: Path, **settings: Any) -> AsyncIterator[tuple[Play, Answers]]:
    """A play beside a chart repository with shop 1.0.0."""
    git = FakeSources()
    folder = tmp_path / "charts"
    folder.mkdir()
    with answering() as server:
        chart(folder, "shop", "1.0.0")
        index(server, folder)
        sources = AllSources(git, ChartSources(tmp_path / "archives"), GitHubApps(FakeWeb(), FakeClock()))
        try:
            async with play(helm=HelmTemplate(str(where("helm4"))), git=git, sources=sources, **settings) as p:
                yield p, server
        finally:
            await sources.close()


def of(server: Answers, **more: Any) -> dict[str, Any]:
    return {"repoURL": server.url("/charts"), "chart": "shop", "targetRevision": "1.x", **more}


async def test_a_new_version_in_the_range_is_found_when_the_repository_is_looked_at_again(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path, poll=0.3) as (p, server):
        await p.application(source=of(server), **AUTO)
        await p.until(lambda: p.data("shop") == {"version": "1.0.0", "k": "chart"})
        await p.until(lambda: p.phase() == "Succeeded")
        assert p.status()["sync"]["revision"] == "1.0.0"
        assert p.status()["sourceType"] == "Helm"
        assert p.status()["history"][0]["source"] == of(server)
        app = p.controller.context.fleet.get("shop")
        assert app is not None
        with pytest.raises(InvalidInput, match="its source is a chart, which no revert commit brings back"):
            await plan_rollback(Eyes(sources=p.sources, credentials=lambda url: Credentials()), app)
        chart(tmp_path / "charts", "shop", "1.1.0")
        chart(tmp_path / "charts", "shop", "2.0.0")
        index(server, tmp_path / "charts")
        await p.until(lambda: p.data("shop") == {"version": "1.1.0", "k": "chart"})
        await p.until(lambda: [entry["revision"] for entry in p.status()["history"]] == ["1.0.0", "1.1.0"])
        printed = helm("template", "shop", "shop", "--repo", server.url("/charts"), "--version", "1.x", home=tmp_path)
        assert 'version: "1.1.0", k: "chart"' in printed


async def test_a_chart_takes_values_of_a_git_repository_and_not_the_other_way_round(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path) as (p, server):
        one = p.sources.commit(URL, {"envs/test.yaml": b"k: test\n"})
        sources = [of(server, helm={"valueFiles": ["$vals/envs/test.yaml"]}), {"repoURL": URL, "ref": "vals"}]
        await p.application(source=None, sources=sources, **AUTO)
        await p.until(lambda: p.data("shop") == {"version": "1.0.0", "k": "test"})
        await p.until(lambda: p.status().get("sync", {}).get("revisions") == ["1.0.0", one])
        two = p.sources.commit(URL, {"envs/test.yaml": b"k: prod\n"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("shop") == {"version": "1.0.0", "k": "prod"})
        await p.until(lambda: p.status()["sync"]["revisions"] == ["1.0.0", two])
        assert [path for path, _ in server.asked] == ["/charts/index.yaml", "/charts/shop-1.0.0.tgz"]
        reverse = [
            {"repoURL": URL, "path": "chart", "helm": {"valueFiles": ["$vals/values.yaml"]}},
            of(server, ref="vals"),
        ]
        await p.application("reverse", source=None, sources=reverse)
        await p.until(lambda: p.conditions("reverse"))
        assert "values are taken from Git repositories alone" in p.conditions("reverse")[0]


async def test_a_chart_needs_a_version_and_the_project_has_to_permit_the_repository(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path) as (p, server):
        await p.application("bare", source={"repoURL": server.url("/charts"), "chart": "shop"})
        await project(p, sourceRepos=[URL])
        await p.application("foreign", source=of(server), project="team")
        await p.until(lambda: p.conditions("bare") and p.conditions("foreign"))
        assert p.conditions("bare") == [
            "InvalidSpecError: spec.source.targetRevision is required if the manifest source is a helm chart"
        ]
        assert p.conditions("foreign") == [
            f"InvalidSpecError: application repo {server.url('/charts')} is not permitted in project 'team'"
        ]
        assert server.asked == []


async def test_what_a_chart_in_git_depends_on_is_fetched_where_the_project_permits_it_and_followed(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path, poll=0.3) as (p, server):
        needs = f"dependencies: [{{name: shop, version: ^1.0.0, repository: '{server.url('/charts')}'}}]\n"
        head = "apiVersion: v2\nname: whole\nversion: 1.0.0\n"
        files = {"app/Chart.yaml": (head + needs).encode(), "app/values.yaml": b"k: own\n"}
        files["app/templates/cm.yaml"] = TEMPLATE.encode()
        p.sources.commit(URL, files)
        await project(p, sourceRepos=[URL])
        await p.application("closed", project="team")
        await p.until(lambda: p.conditions("closed"))
        assert "a repository that the project does not permit" in p.conditions("closed")[0]
        assert server.asked == []
        await p.application(**AUTO)
        await p.until(lambda: p.data("shop") == {"version": "1.0.0", "k": "chart"})
        assert p.data("whole") == {"version": "1.0.0", "k": "own"}
        chart(tmp_path / "charts", "shop", "1.5.0")
        index(server, tmp_path / "charts")
        await p.until(lambda: p.data("shop") == {"version": "1.5.0", "k": "chart"})


async def test_while_the_repository_is_away_the_cluster_keeps_what_it_has_and_the_condition_says_so(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path) as (p, server):
        await p.application(source=of(server), **AUTO)
        await p.until(lambda: p.phase() == "Succeeded")
        del server.pages["/charts/index.yaml"]
        await p.patch_application({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})
        await p.until(p.conditions)
        assert "its index: the server answers 404" in p.conditions()[0]
        assert p.data("shop") == {"version": "1.0.0", "k": "chart"}
        index(server, tmp_path / "charts")
        await p.controller.push(frozenset([ChartPlace(repository=server.url("/charts"), chart="shop").key]))
        await p.until(lambda: not p.conditions())


async def test_values_come_from_an_address_where_argocd_cm_allows_its_protocol(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path, downloads=WebDownloads()) as (p, server):
        server.pages["/values.yaml?token=hunter2"] = b"k: web\n"
        helm_block = {"valueFiles": [server.url("/values.yaml?token=hunter2")]}
        await p.application(source=of(server, helm=helm_block), **AUTO)
        await p.until(lambda: p.data("shop") == {"version": "1.0.0", "k": "web"})
        missing = {"valueFiles": [server.url("/gone.yaml?token=hunter2")]}
        await p.application("gone", source=of(server, helm=missing))
        await p.until(lambda: p.conditions("gone"))
        assert p.conditions("gone")[0].endswith("/gone.yaml: the server answers 404")
        cm = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd"}}
        await p.cluster.create(CONFIG_MAPS, {**cm, "data": {"helm.valuesFileSchemes": "https"}}, manager="person")
        await p.until(lambda: "argocd-cm" in p.controller.context.config.config_maps)
        await p.application("later", source=of(server, helm=helm_block))
        await p.until(lambda: p.conditions("later"))
        assert p.conditions("later")[0].endswith("/values.yaml: the URL scheme 'http' is not allowed")
        assert "hunter2" not in str(p.status("later")["conditions"])


async def test_a_repository_that_a_chart_names_by_its_alias_is_the_one_of_that_secret(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path) as (p, server):
        values = {"type": "helm", "name": "stable", "url": server.url("/charts")}
        data = {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}
        labels = {"argocd.argoproj.io/secret-type": "repository"}
        metadata = {"name": "stable", "namespace": "argocd", "labels": labels}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        await p.cluster.create(SECRETS, body, manager="person")
        head = "apiVersion: v2\nname: whole\nversion: 1.0.0\n"
        needs = "dependencies: [{name: shop, version: ^1.0.0, repository: '@stable'}]\n"
        p.sources.commit(URL, {"app/Chart.yaml": (head + needs).encode()})
        await p.until(lambda: p.controller.context.config.secrets)
        await p.application(**AUTO)
        await p.until(lambda: p.data("shop") == {"version": "1.0.0", "k": "chart"})


async def test_a_repository_of_which_versions_alone_are_wanted_is_not_polled(
    tmp_path: Path, real_programs: None
) -> None:
    async with shop(tmp_path, poll=0.2) as (p, server):
        index(server, tmp_path / "charts", base="/ranges")
        await p.application(source=of(server, targetRevision="1.0.0"), **AUTO)
        await p.application("other", source=of(server, repoURL=server.url("/ranges")))
        await p.until(lambda: p.phase() == "Succeeded" and p.sync("other") == "OutOfSync")
        await p.until(lambda: [path for path, _ in server.asked].count("/ranges/index.yaml") >= 5)
        assert [path for path, _ in server.asked].count("/charts/index.yaml") == 1
        await p.application("later", source=of(server, targetRevision="1.7.0"))
        await p.until(lambda: p.conditions("later"))
        assert "there is no version '1.7.0'" in p.conditions("later")[0]
        chart(tmp_path / "charts", "shop", "1.7.0")
        index(server, tmp_path / "charts")
        await p.until(lambda: p.sync("later") == "OutOfSync")
