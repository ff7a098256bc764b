"""What is found in a repository and rendered: Applications that bring Applications, sets, charts, kustomizations, several sources."""

import pytest
from build_real import where

from core.check.repository import URL, application, checked, deployment, told, tree_of
from kilde.adapters.programs.helm_template import HelmTemplate
from kilde.core.check.here import Named, OnlyTree
from kilde.core.check.renderer import Plan
from kilde.core.check.rendering import rendered
from kilde.core.check.units import Rendering

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"
CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "tag: ''\n",
    "charts/web/templates/a.yaml": "# a comment\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n"
    "  selector:\n    matchLabels: {app: a}\n  template:\n    metadata:\n      labels: {app: a}\n    spec:\n      containers:\n"
    '        - name: a\n          image: registry.example/a:{{ .Values.tag | default "latest" }}\n',
}


def of(files: dict[str, str], *names: str) -> Rendering:
    tree = tree_of(files)
    return rendered(Plan(tree=tree, revisions=Named(OnlyTree(tree), names)))


def units(found: Rendering) -> dict[str, list[str]]:
    return {unit.name: [item.words for item in unit.items] for unit in found.units}


def test_an_application_brings_applications_as_kustomize_makes_them() -> None:
    files = {
        "root.yaml": application("root", "argocd"),
        "argocd/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: prod-\npatches: [{path: patch.yaml}]\n",
        "argocd/web.yaml": application("web", "web"),
        "argocd/patch.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: web\n  namespace: argocd\n"
        "spec:\n  destination: {namespace: prod}\n",
        "web/a.yaml": CONFIG_MAP.format("a"),
    }

    assert units(of(files, URL)) == {"root": ["Application argocd/prod-web"], "prod-web": ["ConfigMap prod/a"]}


def test_a_kustomization_with_applications_that_nobody_points_to_brings_them_too() -> None:
    files = {
        "argocd/kustomization.yaml": "resources: [web.yaml]\n",
        "argocd/web.yaml": application("web", "web"),
        "web/a.yaml": CONFIG_MAP.format("a"),
    }

    assert units(of(files, URL)) == {"kustomization argocd": ["Application argocd/web"], "web": ["ConfigMap web/a"]}


def test_bases_and_components_are_not_rendered_by_themselves() -> None:
    files = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": CONFIG_MAP.format("a"),
        "part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -x\n",
        "over/kustomization.yaml": "resources: [../base]\ncomponents: [../part]\nnamespace: web\n",
    }

    assert units(of(files)) == {"kustomization over": ["ConfigMap web/a-x"]}


def test_a_set_that_brings_itself_ends() -> None:
    body = (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: all\n  namespace: argocd\nspec:\n  generators:\n"
        f"    - list: {{elements: [{', '.join(f'{{it: x{number}}}' for number in range(30))}]}}\n  template:\n"
        "    metadata: {name: '{{it}}'}\n    spec:\n      project: default\n"
        f"      source: {{repoURL: '{URL}', path: argocd}}\n"
        "      destination: {server: 'https://kubernetes.default.svc', namespace: '{{it}}'}\n"
    )

    found = of({"argocd/set.yaml": body}, URL)

    assert len(found.units) == 30
    assert len(found.sets) == 1


def test_several_sources_are_one_application() -> None:
    two = application("web", "a").replace(
        f"  source:\n    repoURL: {URL}\n    path: a\n",
        f"  sources:\n    - {{repoURL: {URL}, path: a}}\n    - {{repoURL: {URL}, path: b}}\n",
    )
    files = {"web.yaml": two, "a/a.yaml": CONFIG_MAP.format("a"), "b/b.yaml": CONFIG_MAP.format("a")}

    assert told(checked(files)) == ["duplicate-object b/b.yaml:4:3 ConfigMap web/a: is there twice: a/a.yaml:1"]


def test_without_a_known_name_the_repository_is_what_most_applications_name() -> None:
    files = {
        "a.yaml": application("a", "a"),
        "b.yaml": application("b", "a"),
        "c.yaml": application("c", "a").replace(URL, "https://git.example/other"),
        "a/a.yaml": CONFIG_MAP.format("a"),
    }
    found = of(files)

    assert found.guessed == URL
    assert {unit.name: bool(unit.unjudged) for unit in found.units} == {"a": False, "b": False, "c": True}
    assert of(files, "https://git.example/other").guessed == ""


def test_a_set_that_asks_a_cluster_is_told_and_not_guessed() -> None:
    body = (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: all\nspec:\n  generators:\n    - clusters: {}\n"
        "  template:\n    metadata: {name: '{{name}}'}\n    spec: {}\n"
    )
    broken = body.replace("name: all", "name: bad").replace("clusters: {}", "magic: {}")

    assert told(checked({"a.yaml": body, "b.yaml": broken})) == [
        "not-judged a.yaml:1: ApplicationSet all is not expanded, nor is what it makes judged: "
        "it asks for the clusters that are registered",
        "application b.yaml:1: ApplicationSet bad: ApplicationSet bad contains unrecognized generators: magic (known are list, "
        "clusters, git, scmProvider, clusterDecisionResource, pullRequest, matrix, merge, plugin)",
    ]


def test_a_field_that_a_patch_sets_is_told_where_the_patch_sets_it() -> None:
    patch = "spec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: registry.example/web:latest\n"
    files = {
        "app.yaml": application("web", "over"),
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": "# the web\n" + deployment("web", container="          tty: 1\n"),
        "over/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\npatches: [{path: patch.yaml}]\n",
        "over/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n" + patch,
    }

    assert [(each.rule, each.place, each.object) for each in checked(files)] == [
        ("schema", "base/a.yaml:16:11", "Deployment web/x-web"),
        ("image-latest", "over/patch.yaml:10:11", "Deployment web/x-web"),
    ]


@pytest.mark.parametrize(
    ("kustomization", "source", "place"),
    [
        ("images: [{name: registry.example/web, newTag: latest}]\n", "", "over/kustomization.yaml:2:39"),
        ("images: [{name: registry.example/web, newName: web, newTag: latest}]\n", "", "over/kustomization.yaml:2:53"),
        ("", "    kustomize:\n      images: ['registry.example/web=web:latest']\n", "app.yaml:12:16"),
    ],
)
def test_an_image_is_told_where_it_is_set(kustomization: str, source: str, place: str) -> None:
    files = {
        "app.yaml": application("web", "over", more=source),
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": deployment("web"),
        "over/kustomization.yaml": "resources: [../base]\n" + kustomization,
    }

    assert [(each.rule, each.place) for each in checked(files)] == [("image-latest", place)]


def test_what_a_base_does_wrong_is_told_once_for_all_who_use_it() -> None:
    files = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": deployment("web", image="web"),
    }
    for name in ("one", "two"):
        files[f"argocd/{name}.yaml"] = application(name, name)
        files[f"{name}/kustomization.yaml"] = "resources: [../base]\n"
    (found,) = checked(files)

    assert (found.place, found.applications) == ("base/a.yaml:14:11", ("one", "two"))


@pytest.mark.parametrize("declared", [True, False], ids=["an Application's", "nobody's"])
def test_a_chart_is_rendered_by_the_real_helm(real_programs: None, declared: bool) -> None:
    files = {**CHART, "app.yaml": application("web", "charts/web")} if declared else dict(CHART)
    (found,) = checked(files, helm=HelmTemplate(str(where("helm"))))

    name = "web" if declared else "chart charts/web"
    assert (found.rule, found.path, found.applications) == ("image-latest", "charts/web/templates/a.yaml", (name,))


def test_a_chart_is_told_the_version_and_all_that_it_serves(real_programs: None) -> None:
    asks = '{{ if not (.Capabilities.APIVersions.Has "autoscaling/v2/HorizontalPodAutoscaler") }}{{ fail "no" }}{{ end }}\n'
    asks += '{{ if ne .Capabilities.KubeVersion.Minor "33" }}{{ fail .Capabilities.KubeVersion.Minor }}{{ end }}\n'
    files = {**CHART, "charts/web/values.yaml": "tag: '1'\n", "charts/web/templates/b.yaml": asks}

    assert checked(files, helm=HelmTemplate(str(where("helm")))) == ()


def test_parameter_override_files_count_and_jsonnet_is_told_where_it_is_not_evaluated() -> None:
    files = {
        "web.yaml": application("web", "web"),
        "web/a.yaml": CONFIG_MAP.format("a"),
        "web/kustomization.yaml": "resources: [a.yaml]\n",
        "web/.argocd-source-web.yaml": "kustomize: {namePrefix: x-}\n",
        "other.yaml": application("other", "other"),
        "other/a.jsonnet": "{}",
    }
    found = of(files, URL)
    assert units(found)["web"] == ["ConfigMap web/x-a"]
    [other] = [unit for unit in found.units if unit.name == "other"]
    assert other.unjudged == "has Jsonnet, which is not evaluated"


def settings(**data: str) -> str:
    lines = "".join(f"  {key}: {text!r}\n" for key, text in data.items())
    return f"{CONFIG_MAP.format('argocd-cm')}data:\n{lines}"


def test_the_installations_own_settings_count_where_the_repository_has_them() -> None:
    kinds = "[{apiGroups: [''], kinds: [Secret]}]"
    flags = "--load-restrictor LoadRestrictionsNone"
    files = {
        "root.yaml": application("root", "web"),
        "web/kustomization.yaml": "resources: [../a.yaml, secret.yaml]\n",
        "web/secret.yaml": CONFIG_MAP.format("s").replace("ConfigMap", "Secret"),
        "a.yaml": CONFIG_MAP.format("a"),
    }
    assert ["../a.yaml: is a file, not a folder" in str(unit.failure) for unit in of(files, URL).units] == [True]
    one = {"argo/cm.yaml": settings(**{"resource.exclusions": kinds, "kustomize.buildOptions": flags})}
    assert units(of({**files, **one}, URL)) == {"root": ["ConfigMap root/a"]}
    other = {"other/cm.yaml": settings(**{"kustomize.buildOptions": "--reorder none"})}
    assert [
        "../a.yaml: is a file, not a folder" in str(unit.failure) for unit in of({**files, **one, **other}, URL).units
    ] == [True]


def test_a_list_of_kinds_that_cannot_be_read_is_told_once_and_takes_nothing_out() -> None:
    files = {
        "root.yaml": application("root", "web"),
        "web/a.yaml": CONFIG_MAP.format("a"),
        "cm.yaml": settings(**{"resource.inclusions": "{kinds: [Job]}"}),
    }
    assert units(of(files, URL)) == {"root": ["ConfigMap root/a"]}
    assert told(checked(files)) == [
        "render cm.yaml:1: cannot be read: argocd-cm: resource.inclusions is not a list of apiGroups, kinds and clusters"
    ]


def test_a_change_of_the_settings_concerns_every_application() -> None:
    files = {
        "root.yaml": application("root", "web"),
        "web/kustomization.yaml": "resources: [../a.yaml]\n",
        "a.yaml": CONFIG_MAP.format("a"),
        "cm.yaml": settings(**{"kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone"}),
    }
    before = {**files, "cm.yaml": settings(**{"kustomize.buildOptions": "--load-restrictor=LoadRestrictionsNone"})}
    assert told(checked(files, before=before)) == []
    broken = {**files, "cm.yaml": settings(**{"kustomize.buildOptions": "--reorder legacy"})}
    [found] = told(checked(broken, before=files))
    assert found.startswith("render web/kustomization.yaml")
