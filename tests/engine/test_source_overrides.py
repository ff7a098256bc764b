"""Parameter override files beside manifests, and the fields of source.kustomize that mean little here."""

import pytest

from engine.world import URL, Play, config_map, play
from kilde.core.objects.ref import ObjectRef

pytestmark = pytest.mark.anyio
AUTO = {"automated": {"selfHeal": True, "prune": True}}
FILES = {"app/kustomization.yaml": b"resources: [cm.json, d.yaml]\n", "app/cm.json": config_map("a").encode()}
FILES["app/d.yaml"] = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: web}]}}
"""
WRITTEN = {
    "repoURL": URL,
    "path": "app",
    "targetRevision": "HEAD",
    "kustomize": {"nameSuffix": "-x", "images": ["web:1"]},
}


def names(p: Play) -> set[str]:
    return {r.name for r in p.cluster.objects() if r.kind in ("ConfigMap", "Deployment")}


def image(p: Play, name: str) -> str:
    body = p.cluster.objects().get(ObjectRef("apps", "Deployment", "shop", name)) or {}
    return str(body["spec"]["template"]["spec"]["containers"][0]["image"]) if body else ""


async def test_the_files_are_merged_into_the_source_the_one_of_the_application_last_and_followed() -> None:
    async with play() as p:
        general = (
            b"kustomize: {namePrefix: all-, images: ['web:2']}\nrepoURL: https://elsewhere.example/\npath: other\n"
        )
        own = b"kustomize: {namePrefix: null, images: ['web:3'], commonLabels: {app: $ARGOCD_APP_NAME}}\n"
        p.sources.commit(URL, {**FILES, "app/.argocd-source.yaml": general, "app/.argocd-source-other.yaml": b"[]"})
        await p.application(source=WRITTEN, syncPolicy=AUTO)
        await p.until(lambda: names(p) == {"all-a-x", "all-d-x"})
        assert image(p, "all-d-x") == "web:2"
        await p.until(lambda: p.sync() == "Synced")
        assert p.status()["sync"]["comparedTo"]["source"] == WRITTEN
        renders = p.controller.context.renderer.renders
        p.sources.commit(URL, {**FILES, "app/.argocd-source.yaml": general, "app/.argocd-source-shop.yaml": own})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: names(p) == {"a-x", "d-x"})
        assert image(p, "d-x") == "web:3"
        assert p.cluster.objects()[ObjectRef("", "ConfigMap", "shop", "a-x")]["metadata"]["labels"] == {"app": "shop"}
        assert p.controller.context.renderer.renders == renders + 1
        last = p.sources.commit(
            URL, {**FILES, "app/.argocd-source.yaml": general, "app/.argocd-source-shop.yaml": own, "x": b""}
        )
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.status()["sync"]["revision"] == last)
        assert p.controller.context.renderer.renders == renders + 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[1]\n", "app/.argocd-source.yaml:1: must be a map of source parameters"),
        (
            b"kustomize: {images: web}\n",
            "app/.argocd-source.yaml: the source with the parameters of this file: source.kustomize.images",
        ),
        (b"directory: {recurse: true}\n", "multiple application sources defined: Kustomize,Directory"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_and_nothing_is_pruned(text: bytes, told: str) -> None:
    async with play() as p:
        p.sources.commit(URL, FILES)
        await p.application(source=WRITTEN, syncPolicy=AUTO)
        await p.until(lambda: p.sync() == "Synced")
        p.sources.commit(URL, {**FILES, "app/.argocd-source.yaml": text})
        await p.controller.push(frozenset([URL]))
        await p.until(p.conditions)
        assert told in p.conditions()[0]
        assert names(p) == {"a-x", "d-x"}


async def test_images_take_the_build_environment() -> None:
    async with play() as p:
        one = p.sources.commit(URL, FILES)
        await p.application(
            source={**WRITTEN, "kustomize": {"images": ["web:${ARGOCD_APP_REVISION_SHORT}"]}}, syncPolicy=AUTO
        )
        await p.until(lambda: image(p, "d") == f"web:{one[:7]}")
        two = p.sources.commit(URL, {**FILES, "x": b""})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: image(p, "d") == f"web:{two[:7]}")


async def test_a_version_of_kustomize_that_is_not_ours_is_told_and_the_rest_goes_on() -> None:
    async with play() as p:
        p.sources.commit(URL, FILES)
        more = {"kubeVersion": "1.30.0", "apiVersions": ["a/v1"]}
        await p.application(source={**WRITTEN, "kustomize": {"version": "v4.5.7", **more}}, syncPolicy=AUTO)
        await p.application(
            "same", source={**WRITTEN, "path": "app", "kustomize": {"version": "v5.8.1", "nameSuffix": "-y"}}
        )
        text = "source.kustomize.version 'v4.5.7' is not used: kustomizations are rendered as kustomize v5.8.1 renders them"
        await p.until(lambda: p.sync() == "Synced" and p.conditions() == [f"UnusedVersionWarning: {text}"])
        await p.until(lambda: p.sync("same") == "OutOfSync")
        assert p.conditions("same") == []
