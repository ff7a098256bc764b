"""A folder without a kustomization, built of all that is below it, as Flux does."""

import pytest

from core.render.sandbox import DEPLOYMENT, SERVICE, tree
from kilde.core.basics.errors import InvalidYaml, RenderFailed
from kilde.core.render import KustomizeOptions, Rendered, RenderSource, render

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"
FILES = {
    "app/service.yaml": SERVICE,
    "app/sub/deployment.yml": DEPLOYMENT,
    "app/base/kustomization.yaml": "resources: [config.yaml]\nnamePrefix: b-\n",
    "app/base/config.yaml": CONFIG,
    "app/base/unlisted.yaml": CONFIG.replace("NAME", "unlisted"),
    "app/.github/workflow.yaml": "on: push\n",
    "app/.sops.yaml": "creation_rules: []\n",
    "app/README.md": "# no manifest",
    "app/settings.json": "{}",
}


def built(files: dict[str, str], path: str = "app", **options: object) -> Rendered:
    return render(tree(files), RenderSource(path=path, kustomize=KustomizeOptions(generate=True, **options)))  # type: ignore[arg-type]


def test_all_files_below_and_kustomizations_as_a_whole() -> None:
    found = built(FILES, namespace="shop")
    assert [str(manifest) for manifest in found.manifests] == [
        "ConfigMap shop/b-NAME",
        "Service shop/shop",
        "apps/Deployment shop/shop",
    ]
    assert found.source_type == "Kustomize"
    assert found.trace.still_true(tree(FILES))
    assert not found.trace.still_true(tree({**FILES, "app/sub/more.yaml": CONFIG}))
    assert not found.trace.still_true(tree({**FILES, "app/kustomization.yaml": "resources: [service.yaml]\n"}))


def test_a_kustomization_that_is_there_counts_and_so_does_the_root_of_a_repository() -> None:
    files = {**FILES, "app/kustomization.yaml": "resources: [service.yaml]\n"}
    assert [str(one) for one in built(files).manifests] == ["Service shop"]
    assert [str(one) for one in built(files, ".").manifests] == ["Service shop"]


def test_nothing_below_is_nothing_and_what_is_no_manifest_is_refused() -> None:
    assert built({"app/README.md": "x"}).manifests == ()
    with pytest.raises(InvalidYaml, match=r"app/values\.yaml:1: missing Resource metadata"):
        built({"app/values.yaml": "replicas: 2\n"})


def test_without_being_asked_for_none_is_made() -> None:
    with pytest.raises(RenderFailed, match="unable to find one of"):
        render(tree(FILES), RenderSource(path="app", kustomize=KustomizeOptions(namespace="shop")))
