"""Applications that a config management plugin renders, by a real program, from a real Git repository."""

import subprocess
from pathlib import Path

import pytest

from engine.world import URL, config_map, play
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.adapters.programs.plugins import PluginPrograms
from kilde.core.render.outside import PluginSpec
from kilde.ports.sources import Credentials

pytestmark = pytest.mark.anyio
SOURCE = {"repoURL": URL, "path": "app", "targetRevision": "HEAD"}
AUTO = {"automated": {"selfHeal": True}}
SHOUT = PluginSpec(
    "shout", ("sh", "-c", 'sed "s/@who/$ARGOCD_ENV_WHO/; s/@sha/$ARGOCD_APP_REVISION/" in.txt'), file_name="in.txt"
)


async def test_an_application_of_a_plugin_is_rendered_anew_with_each_commit_and_others_are_not() -> None:
    async with play(plugins=PluginPrograms((SHOUT,))) as p:
        files = {"app/in.txt": config_map("a", k="@who", sha="@sha").encode(), "plain/b.json": config_map("b").encode()}
        one = p.sources.commit(URL, files)
        env = [{"name": "WHO", "value": "$ARGOCD_APP_NAME"}]
        await p.application(source={**SOURCE, "plugin": {"name": "shout", "env": env}}, syncPolicy=AUTO)
        await p.application("other", source={**SOURCE, "path": "plain"}, syncPolicy=AUTO)
        await p.until(lambda: p.data("a") == {"k": "shop", "sha": one})
        await p.until(lambda: p.data("b") == {"k": "v"})
        await p.until(lambda: p.sync() == p.sync("other") == "Synced")
        assert (p.status()["sourceType"], p.status("other")["sourceType"]) == ("Plugin", "Directory")
        renders = p.controller.context.renderer.renders
        two = p.sources.commit(URL, {**files, "README.md": b""})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("a") == {"k": "shop", "sha": two})
        await p.until(lambda: p.status("other")["sync"]["revision"] == two)
        assert p.controller.context.renderer.renders == renders + 1


async def test_a_plugin_that_is_not_there_is_told() -> None:
    async with play() as p:
        p.sources.commit(URL, {"app/in.txt": b""})
        await p.application(source={**SOURCE, "plugin": {"name": "shout"}}, syncPolicy=AUTO)
        await p.until(p.conditions)
        assert 'could not find plugin with name "shout" supporting the given repository' in p.conditions()[0]


@pytest.mark.parametrize("keep", [True, False])
async def test_files_that_git_knows_as_executable_are_where_the_plugin_wants_it(tmp_path: Path, keep: bool) -> None:
    from kilde.core.render import PluginOptions, RenderSource, render
    from kilde.core.render.outside import Outside

    work = tmp_path / "work"
    work.mkdir()
    script = work / "run.sh"
    script.write_text("#!/bin/sh\necho '{apiVersion: v1, kind: ConfigMap, metadata: {name: ran}}'\n")
    script.chmod(0o755)
    for command in (
        "git init -q",
        "git add -A",
        "git -c user.name=a -c user.email=a@example commit -qm x",
    ):
        subprocess.run(command.split(), cwd=work, check=True)
    sources = GitSources(tmp_path / "mirrors", clock=SystemClock())
    await sources.fetch(f"file://{work}", Credentials())
    tree = await sources.tree(f"file://{work}", await sources.resolve(f"file://{work}", "HEAD"))
    spec = PluginSpec("p", ("sh", "-c", "test -x run.sh && ./run.sh || echo '{}'"), keep_mode=keep)
    source = RenderSource(path="", plugin=PluginOptions(name="p"))
    outside = Outside(plugins=PluginPrograms((spec,)))
    if keep:
        assert [one.name for one in render(tree, source, outside=outside).manifests] == ["ran"]
    else:
        with pytest.raises(Exception, match="Object 'Kind' is missing"):
            render(tree, source, outside=outside)
    await sources.close()
