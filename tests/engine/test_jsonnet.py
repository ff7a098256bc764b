"""An application of Jsonnet: its libraries are followed, its variables too."""

import pytest

from engine.world import URL, play

pytestmark = pytest.mark.anyio
FILE = (
    b"local l = import 'l.libsonnet';\n"
    b"{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}, data: {lib: l, who: std.extVar('who')}}\n"
)


async def test_a_change_of_a_library_is_rendered_and_one_of_another_file_is_not() -> None:
    async with play() as p:
        p.sources.commit(URL, {"app/a.jsonnet": FILE, "libs/l.libsonnet": b"'one'"})
        jsonnet = {"extVars": [{"name": "who", "value": "$ARGOCD_APP_NAME"}], "libs": ["libs"]}
        source = {"repoURL": URL, "path": "app", "targetRevision": "HEAD", "directory": {"jsonnet": jsonnet}}
        await p.application(source=source, syncPolicy={"automated": {}})
        await p.until(lambda: p.data("a") == {"lib": "one", "who": "shop"})
        await p.until(lambda: p.sync() == "Synced")
        assert p.status()["sourceType"] == "Directory"
        renders = p.controller.context.renderer.renders
        last = p.sources.commit(URL, {"app/a.jsonnet": FILE, "libs/l.libsonnet": b"'one'", "libs/m.libsonnet": b"1"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.status()["sync"]["revision"] == last)
        assert p.controller.context.renderer.renders == renders
        p.sources.commit(URL, {"app/a.jsonnet": FILE, "libs/l.libsonnet": b"'two'"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("a") == {"lib": "two", "who": "shop"})
