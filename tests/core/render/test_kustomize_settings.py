"""`kustomize.buildOptions` of argocd-cm: which flags are obeyed, which passed over, which refused; and what a build makes of them."""

import pytest

from kilde.core.basics.errors import InvalidInput, RenderFailed
from kilde.core.render import RenderSource, Surroundings, render
from kilde.core.render.kustomize.settings import BuildFlags, KustomizeSettings, read_kustomize_settings
from kilde.core.render.source import KustomizeOptions
from kilde.core.source.tree import MemoryTree

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"
FILES = {
    "app/kustomization.yaml": "resources: [../shared/b.yaml, space.yaml, a.yaml]\n",
    "app/a.yaml": MAP.replace("NAME", "a"),
    "app/space.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
    "shared/b.yaml": MAP.replace("NAME", "b"),
}

_OUTSIDE = "is a file, not a folder"  # what kustomize says of it


def built(files: dict[str, str], options: str = "", *, version: str = "", **data: str) -> list[str]:
    settings = read_kustomize_settings({"kustomize.buildOptions": options, **data})
    source = RenderSource(path="app", kustomize=KustomizeOptions(version=version) if version else None)
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    found = render(tree, source, around=Surroundings(kustomize=settings)).manifests
    return [f"{one.kind}/{one.name}{one.body['metadata'].get('labels', '')}" for one in found]


def test_a_file_outside_of_the_folder_is_read_where_the_owner_says_so_and_none_outside_of_the_repository() -> None:
    with pytest.raises(RenderFailed, match=_OUTSIDE):
        built(FILES)
    assert built(FILES, "--load-restrictor LoadRestrictionsNone") == ["Namespace/n", "ConfigMap/a", "ConfigMap/b"]
    with pytest.raises(RenderFailed, match=_OUTSIDE):
        built(FILES, "--load-restrictor=LoadRestrictionsRootOnly")
    outside = {**FILES, "app/kustomization.yaml": "resources: [../../etc/passwd]\n"}
    with pytest.raises(InvalidInput, match="leaves the repository"):
        built(outside, "--load-restrictor LoadRestrictionsNone")


def test_order_and_label_are_as_the_flags_say() -> None:
    flags = "--load-restrictor LoadRestrictionsNone --reorder none"
    assert built(FILES, flags) == ["ConfigMap/b", "Namespace/n", "ConfigMap/a"]
    label = "{'app.kubernetes.io/managed-by': 'kustomize-v5.8.1'}"
    assert [one.endswith(label) for one in built(FILES, f"{flags} --enable-managedby-label")] == [True] * 3
    assert [one.endswith(label) for one in built(FILES, f"{flags} --enable-managedby-label=false")] == [False] * 3


def test_a_version_that_is_registered_has_its_own_flags() -> None:
    own = {"kustomize.buildOptions.v5": "--load-restrictor LoadRestrictionsNone"}
    path = {"kustomize.path.v5": "/custom-tools/kustomize_5"}
    whole = ["Namespace/n", "ConfigMap/a", "ConfigMap/b"]
    assert built(FILES, "--reorder none", version="v5", **own, **path) == whole
    assert built(FILES, "--load-restrictor=LoadRestrictionsNone", version="v4", **own, **path) == whole
    with pytest.raises(RenderFailed, match=_OUTSIDE):
        built(FILES, version="v5", **own)  # without a path the version is not there, and nor are its flags
    assert read_kustomize_settings({**own, **path}) == KustomizeSettings(
        of_versions=(("v5", "--load-restrictor LoadRestrictionsNone"),)
    )


def test_what_lets_kustomize_run_programs_is_passed_over_until_one_is_needed() -> None:
    flags = "--enable-helm --helm-command /bin/helm3 --enable-alpha-plugins --enable-exec -e A=B --network"
    assert read_kustomize_settings({"kustomize.buildOptions": flags}).flags("") == BuildFlags()
    charts = {"app/kustomization.yaml": "helmCharts: [{name: web, repo: https://charts.example}]\n"}
    with pytest.raises(RenderFailed) as caught:
        built(charts, flags)
    hint = "kilde build inflates charts with it; an Application takes one as source.helm, whatever kustomize.buildOptions says"
    assert (caught.value.what, caught.value.hint) == ("must specify --enable-helm", hint)


HINT = "(obeyed are --load-restrictor, --reorder and --enable-managedby-label; what lets kustomize run programs is passed over)"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--output out", "kustomize.buildOptions: '--output' means nothing here"),
        ("--enable-helmet", "kustomize.buildOptions: '--enable-helmet' means nothing here"),
        ("overlays/prod", "kustomize.buildOptions: 'overlays/prod' means nothing here"),
        ("--reorder", "kustomize.buildOptions: --reorder has no value"),
        ("--reorder=up", "kustomize.buildOptions: illegal flag value --reorder up; legal values: ['legacy', 'none']"),
        ("--enable-helm=maybe", "kustomize.buildOptions: 'maybe' is neither true nor false for --enable-helm"),
        (
            "--load-restrictor none",
            "kustomize.buildOptions: illegal flag value --load-restrictor none; legal values:"
            " ['LoadRestrictionsRootOnly', 'LoadRestrictionsNone']",
        ),
    ],
)
def test_a_flag_that_means_nothing_is_told_to_every_kustomization(flags: str, told: str) -> None:
    with pytest.raises(RenderFailed) as caught:
        built(FILES, flags)
    assert str(caught.value) == f"argocd-cm: {told} {HINT}"


def test_other_sources_do_not_mind() -> None:
    assert built({"app/a.yaml": MAP.replace("NAME", "a")}, "--nonsense") == ["ConfigMap/a"]
