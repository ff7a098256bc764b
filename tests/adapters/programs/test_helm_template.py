"""Charts of applications, rendered by real helm 3 and 4: what goes in, what comes out, and what cannot get out."""

import os
from pathlib import Path
from typing import Any

import pytest
from build_real import where

from kilde.adapters.programs.helm_template import HelmTemplate
from kilde.core.basics.errors import KildeError
from kilde.core.render import HelmOptions, HelmParameter, Rendered, RenderSource, Surroundings, render
from kilde.core.render.outside import Outside
from kilde.core.source.tree import MemoryTree

CM = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-cm
  namespace: {{ .Release.Namespace }}
data:
  values: {{ toJson .Values | quote }}
  kube: {{ .Capabilities.KubeVersion.Version | quote }}
  has: {{ .Capabilities.APIVersions.Has "example.com/v1/Thing" | quote }}
"""
CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec: {}
"""
FILES = {
    "app/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.2.3\n",
    "app/values.yaml": "a: chart\nb: chart\nc: chart\nd: chart\ne: chart\n",
    "app/one.yaml": "b: one\nc: one\nd: one\ne: one\n",
    "app/env/x.yaml": "x: 1\n",
    "app/env/z.yaml": "x: 2\nz: 1\n",
    "app/templates/cm.yaml": CM,
    "app/templates/hook.yaml": CM.replace("-cm", "-test").replace(
        "  namespace", '  annotations: {"helm.sh/hook": test}\n  namespace'
    ),
    "app/crds/thing.yaml": CRD,
    "top.yaml": "c: top\nd: top\ne: top\n",
    "note.txt": "from a file",
}
AROUND = Surroundings(app="web", namespace="shop", kube_version="1.31.2", api_versions=("example.com/v1/Thing",))
MAJORS = ("helm", "helm4")


@pytest.fixture(params=MAJORS)
def helm(request: pytest.FixtureRequest, real_programs: None) -> HelmTemplate:
    return HelmTemplate(str(where(request.param)))


def rendered(
    helm: HelmTemplate, files: dict[str, str] | None = None, around: Surroundings = AROUND, **options: Any
) -> Rendered:
    tree = MemoryTree({name: text.encode() for name, text in (files or FILES).items()})
    source = RenderSource(path="app", helm=HelmOptions(**options) if options else None)
    return render(tree, source, outside=Outside(helm=helm), around=around)


def values(made: Rendered) -> dict[str, Any]:
    import json

    [found] = [one for one in made.manifests if one.name.endswith("-cm")]
    return dict(json.loads(found.body["data"]["values"]))


def test_a_chart_is_known_by_its_file_and_knows_application_and_cluster(helm: HelmTemplate) -> None:
    made = rendered(helm)
    assert made.source_type == "Helm"
    named = {(one.kind, one.name, str(one.origin)) for one in made.manifests}
    assert named == {
        ("CustomResourceDefinition", "things.example.com", "app/crds/thing.yaml"),
        ("ConfigMap", "web-cm", "app/templates/cm.yaml"),
        ("ConfigMap", "web-test", "app/templates/hook.yaml"),
    }
    [cm] = [one for one in made.manifests if one.name == "web-cm"]
    assert cm.body["data"] == {
        "values": '{"a":"chart","b":"chart","c":"chart","d":"chart","e":"chart"}',
        "kube": "v1.31.2",
        "has": "true",
    }
    assert cm.body["metadata"]["namespace"] == "shop"


def test_parameters_win_over_inline_values_over_files_over_the_charts_own(helm: HelmTemplate) -> None:
    made = rendered(
        helm,
        value_files=("one.yaml", "/top.yaml"),
        values="d: inline\ne: inline\n",
        parameters=(HelmParameter(name="e", value="set"),),
    )
    assert values(made) == {"a": "chart", "b": "one", "c": "top", "d": "inline", "e": "set"}


def test_every_other_field_reaches_helm(helm: HelmTemplate) -> None:
    made = rendered(
        helm,
        release_name="other",
        namespace="there",
        skip_crds=True,
        skip_tests=True,
        kube_version="1.29.0",
        api_versions=("other.example/v1",),
        value_files=("env/*.yaml",),
        parameters=(
            HelmParameter(name="number", value="1"),
            HelmParameter(name="text", value="1", forced=True),
            HelmParameter(name="comma", value="a,b"),
            HelmParameter(name="list", value="{a,b}"),
            HelmParameter(name="who", value="$ARGOCD_APP_NAME in ${ARGOCD_APP_NAMESPACE} for $$1"),
        ),
        file_parameters=(("note", "/note.txt"),),
    )
    [cm] = made.manifests
    assert (cm.name, cm.body["metadata"]["namespace"]) == ("other-cm", "there")
    assert (cm.body["data"]["kube"], cm.body["data"]["has"]) == ("v1.29.0", "false")
    found = values(made)
    assert {key: found[key] for key in ("x", "z", "number", "text", "comma", "list", "who", "note")} == {
        "x": 2,
        "z": 1,
        "number": 1,
        "text": "1",
        "comma": "a,b",
        "list": ["a", "b"],
        "who": "web in shop for $1",
        "note": "from a file",
    }


def test_values_of_another_source_are_read_from_its_tree(helm: HelmTemplate) -> None:
    refs = {"vals": MemoryTree({"envs/v.yaml": b"a: ref\n"})}
    around = Surroundings(app="web", namespace="shop", refs=refs)
    assert values(rendered(helm, around=around, value_files=("$vals/envs/v.yaml",)))["a"] == "ref"
    with pytest.raises(KildeError, match=r'referenced "\$other", which is not one of the available sources \(\$vals\)'):
        rendered(helm, around=around, value_files=("$other/v.yaml",))
    with pytest.raises(KildeError, match=r"referenced \"\$other\", but no source has a 'ref' field defined"):
        rendered(helm, value_files=("$other/v.yaml",))
    with pytest.raises(KildeError, match="leaves the repository"):
        rendered(helm, around=around, value_files=("$vals/../v.yaml",))


def test_a_missing_values_file_is_told_in_argo_cds_words_unless_it_may_be_missing(helm: HelmTemplate) -> None:
    with pytest.raises(KildeError) as caught:
        rendered(helm, value_files=("gone.yaml",))
    assert str(caught.value) == (
        "rpc error: code = Unknown desc = failed to execute helm template command: failed running helm: `helm template . "
        "--name-template web --namespace shop --kube-version 1.31.2 --values <path to cached source>/app/gone.yaml "
        "<api versions removed> --include-crds` failed exit status 1: Error: open <path to cached source>/app/gone.yaml: "
        "no such file or directory"
    )
    assert values(rendered(helm, value_files=("gone.yaml",), ignore_missing_value_files=True))["a"] == "chart"


def test_local_dependencies_are_taken_along_and_traced(helm: HelmTemplate) -> None:
    files = {
        **FILES,
        "app/Chart.yaml": FILES["app/Chart.yaml"]
        + "dependencies: [{name: lib, version: 0.1.0, repository: 'file://../charts/lib', alias: other}]\n",
        "app/values.yaml": "other: {for: it}\n",
        "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\n",
        "charts/lib/templates/b.yaml": CM.replace("-cm", "-lib"),
    }
    made = rendered(helm, files)
    [lib] = [one for one in made.manifests if one.name == "web-lib"]
    assert '"for":"it"' in lib.body["data"]["values"]
    assert made.trace.seen["charts/lib/templates/b.yaml"]
    gone = {name: text for name, text in files.items() if not name.startswith("charts/")}
    with pytest.raises(KildeError, match="the chart 'lib' that it depends on is not at 'charts/lib'"):
        rendered(helm, gone)
    away = {**files, "app/Chart.yaml": files["app/Chart.yaml"].replace("../charts/lib", "../../etc")}
    with pytest.raises(KildeError, match="leaves the repository"):
        rendered(helm, away)


def test_what_helm_says_is_told_without_our_folders_and_without_values(helm: HelmTemplate) -> None:
    broken = {**FILES, "app/templates/cm.yaml": '{{ fail "no replicas" }}'}
    with pytest.raises(KildeError) as caught:
        rendered(helm, broken, parameters=(HelmParameter(name="password", value="hunter2"),))
    told = str(caught.value)
    assert "no replicas" in told
    assert "--set password=******" in told
    assert "hunter2" not in told
    assert "kilde-helm-" not in told


def test_a_chart_sees_no_cluster_and_nothing_of_who_runs_it(
    helm: HelmTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("TOLD_TO_NOBODY", "x")
    monkeypatch.setenv("HELM_KUBETOKEN", "secret")
    look = """apiVersion: v1
kind: ConfigMap
metadata: {name: a-cm}
data:
  values: {{ dict "found" (len (lookup "v1" "Secret" "" "")) | toJson | quote }}
"""
    assert values(rendered(helm, {**FILES, "app/templates/cm.yaml": look})) == {"found": 0}


def test_a_chart_that_never_ends_or_eats_all_memory_is_stopped(real_programs: None) -> None:
    slow = HelmTemplate(str(where("helm")), seconds=1.5)
    endless = {**FILES, "app/templates/cm.yaml": "{{ range $i := until 2000000000 }}{{ end }}"}
    with pytest.raises(KildeError):
        rendered(slow, endless)


def test_without_helm_one_sentence_says_so() -> None:
    with pytest.raises(KildeError) as caught:
        rendered(HelmTemplate("no-such-helm"))
    assert str(caught.value) == "the program 'no-such-helm' is not there (install helm, or name it with --helm-command)"


def test_nothing_stays_on_disk(helm: HelmTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rendered(helm)
    assert os.listdir(tmp_path) == []
