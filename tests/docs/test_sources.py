"""The examples of docs/sources.md do what the page says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from build_real import where

from engine.world import URL, play
from kilde.adapters.programs.helm_template import HelmTemplate
from kilde.core.apps.sources import read_source
from kilde.core.basics.reading import Reader
from kilde.core.objects.ref import ObjectRef
from kilde.core.render.outside import PluginSpec
from kilde.core.render.plugin import read_plugin

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"
CHART = {
    "chart/Chart.yaml": b"apiVersion: v2\nname: shop\nversion: 1.2.3\n",
    "chart/values.yaml": b"replicas: one\n",
    "chart/templates/cm.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: {{ .Values.replicas }}}\n",
}


async def test_the_example_takes_a_chart_and_the_values_of_another_repository(real_programs: None) -> None:
    [example] = re.findall(r"```yaml\n(spec:.*?)```", PAGE.read_text(), re.DOTALL)
    spec = yaml.safe_load(example)["spec"]
    shop, environments = (source["repoURL"] for source in spec["sources"])
    async with play(helm=HelmTemplate(str(where("helm4")))) as p:
        p.sources.create(environments)
        one = p.sources.commit(shop, CHART)
        two = p.sources.commit(environments, {"test/values.yaml": b"replicas: two\n"})
        await p.application(source=None, syncPolicy={"automated": {}}, **spec)
        await p.until(lambda: p.data("a") == {"k": "two"})
        await p.until(lambda: p.status().get("sourceTypes") == ["Helm", ""])
        assert p.status()["sync"]["revisions"] == [one, two]


def block(start: str) -> Any:
    """The example that begins so."""
    [found] = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if text.startswith(start)]
    return yaml.safe_load(found)


async def test_the_example_of_jsonnet_gives_its_variables_and_libraries() -> None:
    source = block("source:\n  repoURL: https://git.example")["source"]
    text = (
        b"local v = import 'v.libsonnet'; function(team) {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'},"
        b" data: {r: '%d' % (std.extVar('replicas') + 1), team: team, v: v}}"
    )
    async with play() as p:
        p.sources.commit(source["repoURL"], {"app/a.jsonnet": text, "vendor/v.libsonnet": b"'vendored'"})
        await p.application(source=source, syncPolicy={"automated": {}})
        await p.until(lambda: p.data("a") == {"r": "4", "team": "default", "v": "vendored"})


async def test_the_example_of_an_override_file_changes_an_image() -> None:
    override = yaml.safe_dump(block("# .argocd-source-shop.yaml")).encode()
    deployment = (
        b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {a: b}}\n"
        b"  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'web:1'}]}}\n"
    )
    files = {"app/kustomization.yaml": b"resources: [d.yaml]\n", "app/d.yaml": deployment}
    async with play() as p:
        p.sources.commit(URL, {**files, "app/.argocd-source-shop.yaml": override})
        await p.application(syncPolicy={"automated": {}})
        ref = ObjectRef("apps", "Deployment", "shop", "d")
        await p.until(lambda: ref in p.cluster.objects())
        [container] = p.cluster.objects()[ref]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == "web:1.4.2"


async def test_the_examples_of_a_chart_and_of_a_plugin_are_read_as_they_are_meant() -> None:
    at = Reader(block("source:\n  repoURL: https://charts.example")["source"], "source")
    source = read_source(at, several=False)
    assert source is not None
    assert (at.problems, source.url) == ([], "chart:https://charts.example/stable#shop")
    found = read_plugin(block("apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin"), "the page")
    assert found == PluginSpec(
        name="cdk8s",
        init=("npm", "ci"),
        generate=("sh", "-c", "npx cdk8s synth --stdout"),
        file_name="cdk8s.yaml",
    )
