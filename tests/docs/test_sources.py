"""The examples of docs/sources.md do what the page says."""

import re
from pathlib import Path

import pytest
import yaml
from build_real import where

from engine.world import play
from kilde.adapters.programs.helm_template import HelmTemplate

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
