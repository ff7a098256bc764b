"""The build environment in annotations: a commit that changes nothing else is told in them where they ask for it."""

import pytest

from engine.world import URL, Play, config_map, play
from kilde.core.objects.ref import ObjectRef

pytestmark = pytest.mark.anyio
FILES = {"app/kustomization.yaml": b"resources: [cm.json]\n", "app/cm.json": config_map("a").encode()}


def annotation(p: Play) -> str | None:
    body = p.cluster.objects().get(ObjectRef("", "ConfigMap", "shop", "a")) or {}
    found = (body.get("metadata", {}).get("annotations") or {}).get("of")
    return None if found is None else str(found)


@pytest.mark.parametrize(
    ("asks", "follows"), [("$ARGOCD_APP_NAME in ${ARGOCD_APP_SOURCE_PATH}", False), ("$ARGOCD_APP_REVISION", True)]
)
async def test_annotations_take_the_build_environment(asks: str, follows: bool) -> None:
    async with play() as p:
        first = p.sources.commit(URL, FILES)
        kustomize = {"commonAnnotations": {"of": asks}, "commonAnnotationsEnvsubst": True}
        source = {"repoURL": URL, "path": "app", "targetRevision": "HEAD", "kustomize": kustomize}
        await p.application(source=source, syncPolicy={"automated": {"selfHeal": True}})
        await p.until(lambda: annotation(p) == (first if follows else "shop in app"))
        await p.until(lambda: p.sync() == "Synced")
        renders = p.controller.context.renderer.renders
        second = p.sources.commit(URL, {**FILES, "README.md": b"for people"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.status()["sync"]["revision"] == second)
        if follows:
            await p.until(lambda: annotation(p) == second)
        else:
            assert (annotation(p), p.controller.context.renderer.renders) == ("shop in app", renders)
