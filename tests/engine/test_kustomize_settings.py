"""The flags of kustomize that argocd-cm gives, as a controller obeys them: at once, for kustomizations alone, and again for the ledger."""

import json
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, URL, Play, config_map, play
from kilde.core.ledger.operation import operations
from kilde.engine.records.rebuild import rebuild

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
KUSTOMIZATION = "resources: [../shared/b.yaml]\n"


async def settings(p: Play, **data: str | None) -> None:
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd"}}
    await p.cluster.apply(CONFIG_MAPS, {**head, "data": data}, manager="person")


async def test_flags_are_obeyed_when_they_come_and_told_where_they_are_wrong() -> None:
    async with play() as p:
        files = {
            "app/kustomization.yaml": KUSTOMIZATION,
            "shared/b.yaml": config_map("b"),
            "plain/c.yaml": config_map("c"),
        }
        p.sources.commit(URL, {path: text.encode() for path, text in files.items()})
        await p.application(**AUTO)
        await p.application("plain", source={"repoURL": URL, "path": "plain", "targetRevision": "HEAD"}, **AUTO)
        await p.until(lambda: any("../shared/b.yaml: is a file, not a folder" in one for one in p.conditions()))
        await settings(p, **{"kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone"})
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        assert p.data("b") == {"k": "v"}
        rendered = p.controller.context.renderer.renders
        await settings(p, **{"kustomize.buildOptions": "--load-restrictor  LoadRestrictionsNone", "other": "x"})
        await p.quiet()
        assert p.controller.context.renderer.renders == rendered, "the same flags"
        await settings(p, **{"kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone --wrong"})
        await p.until(lambda: any("'--wrong' means nothing here" in one for one in p.conditions()))
        assert p.sync() == "Unknown"
        assert p.data("b") == {"k": "v"}
        assert p.sync("plain") == "Synced"
        assert p.controller.context.renderer.renders == rendered + 1, "what is no kustomization is not rendered again"


async def test_what_the_ledger_keeps_is_enough_to_build_it_again() -> None:
    async with play() as p:
        await settings(p, **{"kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone"})
        files = {"app/kustomization.yaml": KUSTOMIZATION, "shared/b.yaml": config_map("b")}
        p.sources.commit(URL, {path: text.encode() for path, text in files.items()})
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        [view] = operations(p.records.read())
        assert view.rendering["buildOptions"] == "--load-restrictor LoadRestrictionsNone"
        again = await rebuild(p.sources, view)
        assert (again.problem, again.digest) == ("", view.rendered_digest)
        assert [json.loads(json.dumps(one))["metadata"]["name"] for one in again.objects] == ["b"]
