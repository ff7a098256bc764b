"""Helm charts: kustomize and `kilde build` give the same helm the same arguments and values, and print the same."""

import json
import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from build_real import where

from cli.both import Both, both, write

_TEMPORARY = re.compile(r"/[^ ]*/(?:kustomize|kilde)-helm-[A-Za-z0-9_]+")
# stands between the program and the real helm, and writes down what passes
RECORDER = """#!{python}
import json, os, subprocess, sys
arguments = sys.argv[1:]
files = [open(path).read() for flag, path in zip(arguments, arguments[1:]) if flag == "-f"]
homes = {{name: os.environ.get(name) for name in ("HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME")}}
with open({log!r}, "a") as log:
    log.write(json.dumps([arguments, files, homes]) + "\\n")
sys.exit(subprocess.run([{helm!r}, *arguments]).returncode)
"""
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.2.3\n",
    "values.yaml": "# the chart's own\nreplicas: 1\nquoted: '1'\nlist: [a, b]\nmap: {one: 1, two: {deep: x}}\nempty:\nday: 2001-01-01\n",
    "templates/cm.yaml": """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-values
  namespace: {{ .Release.Namespace }}
data:
  kube: {{ .Capabilities.KubeVersion.Version | quote }}
  has: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}
  values: |
{{ .Values | toYaml | indent 4 }}
""",
    "templates/hook.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: pre-install}\n",
    "templates/tests/t.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: test\n  annotations: {helm.sh/hook: test}\n",
    "crds/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.example.com}\n",
}


@pytest.fixture(scope="session")
def helm() -> str:
    if not where("helm").exists():
        pytest.skip("helm is not built (make real)")
    return str(where("helm"))


def charted(folder: Path, helm: str, kustomization: str, **more: str) -> Both:
    files = {f"app/charts/shop/{path}": text for path, text in CHART.items()}
    recorder = RECORDER.format(python=sys.executable, helm=helm, log=str(folder / "log"))
    return both(folder, {**files, "app/kustomization.yaml": kustomization, "helm": recorder, **more})


def recorded(here: Both) -> list[object]:
    """What helm was given since the last time, without the names of temporary folders."""
    log = here.here / "log"
    text = log.read_text() if log.exists() else ""
    log.unlink(missing_ok=True)
    return [json.loads(_TEMPORARY.sub("/TEMPORARY", line)) for line in text.splitlines()]


def same(here: Both, *flags: str) -> int:
    arguments = ["app", "--enable-helm", "--helm-command", str(here.here / "helm"), *flags]
    theirs = here.theirs(*arguments)
    given = recorded(here)
    ours = here.ours(*arguments)
    assert (ours.code, ours.out, ours.err if not ours.code else "") == (theirs.code, theirs.out, ""), (
        theirs.err + ours.err
    )
    if not theirs.code:
        assert recorded(here) == given
    return ours.code


ONE = "helmCharts:\n- name: shop\n  releaseName: r\n"
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "a chart": (ONE, ()),
    "a namespace": (ONE + "  namespace: n\n", ()),
    "the kustomization's namespace": (ONE + "namespace: n\n", ()),
    "all its switches": (ONE + "  includeCRDs: true\n  skipHooks: true\n  skipTests: true\n  debug: true\n  devel: true\n", ()),
    "skipped tests": (ONE + "  skipTests: true\n", ()),
    "a kube version and API versions": (ONE + "  kubeVersion: '1.30'\n  apiVersions: [example.com/v1, b/v2]\n", ()),
    "flags": (ONE, ("--helm-kube-version", "1.31.2", "--helm-api-versions", "example.com/v1", "--helm-api-versions", "a,b/v2")),
    "flags against fields": (
        ONE + "  kubeVersion: '1.30'\n  apiVersions: [b/v2]\n", ("--helm-kube-version=1.31", "--helm-api-versions=a/v1", "--helm-debug")),
    "a name template": ("helmCharts:\n- name: shop\n  nameTemplate: 'x-{{ .Chart }}'\n", ()),
    "inline values": (ONE + "  valuesInline: {replicas: 3, quoted: 5, map: {two: {more: y}}, list: [c], new: {a: [1, {b: null}]}}\n", ()),
    "inline values, merged": (
        ONE + "  valuesMerge: merge\n  valuesInline: {replicas: 3, quoted: 5, map: {three: 'yes'}, list: [c], new: 1.5}\n", ()),
    "inline values that change types": (
        ONE + "  valuesInline: {replicas: '3', quoted: true, list: x, day: 2002-01-01, empty: 1e3, f: 1.0, 'yes': 'no'}\n",
        ()),
    "no values where there are some": (ONE + "  valuesFile: empty.yaml\n  valuesInline: {a: b}\n", ()),
    "values that are a list": (ONE + "  valuesFile: list.yaml\n  valuesInline: {a: b}\n", ()),
    "inline values, alone": (ONE + "  valuesMerge: replace\n  valuesInline: {replicas: 3, text: 'true', n: null}\n", ()),
    "inline values that remove": (ONE + "  valuesInline: {replicas: null, map: {one: null}}\n", ()),
    "inline values of another shape": (ONE + "  valuesInline: {map: 1}\n", ()),
    "a values file": (ONE + "  valuesFile: v.yaml\n  valuesInline: {a: x}\n", ()),
    "further values files": (ONE + "  valuesFile: v.yaml\n  additionalValuesFiles: [more/w.yaml, ./v.yaml]\n", ()),
    "an unknown merge": (ONE + "  valuesMerge: mix\n", ()),
    "no name": ("helmCharts:\n- releaseName: r\n", ()),
    "a chart that is not there": ("helmCharts:\n- name: other\n  releaseName: r\n", ()),
    "a values file outside": (ONE + "  valuesFile: ../outside.yaml\n", ()),
    "a further values file that is not there": (ONE + "  additionalValuesFiles: [gone.yaml]\n", ()),
    "another chart home": ("helmGlobals: {chartHome: ./charts/../charts}\n" + ONE, ()),
    "a configuration home": ("helmGlobals: {configHome: /tmp/kilde-no-such-home}\n" + ONE, ()),
    "the old field": (
        "helmChartInflationGenerator:\n- chartName: shop\n  releaseName: r\n  values: v.yaml\n  valuesLocal: {b: 2}\n",
        ()),
    "the old field with homes": (
        "helmChartInflationGenerator:\n- chartName: shop\n  releaseName: r\n  chartHome: charts\n"
        "  helmHome: /tmp/kilde-no-such-home\n", ()),
    "with transformers": (ONE + "namePrefix: p-\nnamespace: n\nresources: [c.yaml]\ncommonLabels: {l: v}\n", ()),
    "with origins": (ONE + "buildMetadata: [originAnnotations]\nnamePrefix: p-\n", ()),
    "as a generator": ("generators: [g.yaml]\nnamespace: n\n", ()),
    "two charts that collide": (ONE + "- name: shop\n  releaseName: r\n", ()),
    "two charts": (ONE + "- name: shop\n  releaseName: s\n  namespace: t\n", ()),
}  # fmt: skip
MORE = {
    "app/v.yaml": "replicas: 7\na: 'b'\n",
    "app/more/w.yaml": "w: 1\n",
    "app/empty.yaml": "# nothing\n",
    "app/list.yaml": "[a]\n",
    "outside.yaml": "a: b\n",
    "app/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
    "app/g.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: shop\nreleaseName: r\n"
    "namespace: m\nvaluesInline: {replicas: 2}\n",
}


@pytest.mark.parametrize("name", CASES)
def test_helm_is_given_what_kustomize_gives_it(tmp_path: Path, helm: str, name: str) -> None:
    kustomization, flags = CASES[name]
    same(charted(tmp_path, helm, kustomization, **MORE), *flags)


def test_a_base_inherits_the_namespace_and_an_overlay_does_not_move_the_charts_objects(
    tmp_path: Path, helm: str
) -> None:
    here = charted(tmp_path, helm, "resources: [base]\nnamespace: over\n")
    (tmp_path / "app/charts").rename(tmp_path / "charts")
    write(tmp_path, {"app/base/kustomization.yaml": ONE})
    (tmp_path / "charts").rename(tmp_path / "app/base/charts")
    assert same(here) == 0


@pytest.fixture
def repository(tmp_path: Path, helm: str) -> Iterator[str]:
    """The address of a repository of charts, served over http."""
    served = tmp_path / "served"
    write(tmp_path, {f"source/shop/{path}": text for path, text in CHART.items()})
    served.mkdir()
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    import subprocess

    subprocess.run(
        [helm, "package", tmp_path / "source/shop", "-d", served], check=True, capture_output=True, env=environment
    )
    subprocess.run([helm, "repo", "index", served], check=True, capture_output=True, env=environment)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(served)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("version", ["  version: 1.2.3\n", ""])
def test_a_chart_that_is_not_there_is_pulled_into_its_home(
    tmp_path: Path, helm: str, repository: str, version: str
) -> None:
    here = charted(
        tmp_path / "work", helm, f"helmCharts:\n- name: shop\n  repo: {repository}\n  releaseName: r\n{version}"
    )
    import shutil

    homes, outputs = [], []
    for program in (here.theirs, here.ours):
        shutil.rmtree(here.here / "app/charts")
        said = program("app", "--enable-helm", "--helm-command", str(here.here / "helm"))
        assert said.code == 0, said.err
        outputs.append((said.out, recorded(here)))
        homes.append(sorted(str(path.relative_to(here.here)) for path in (here.here / "app/charts").rglob("*.yaml")))
    assert outputs[0] == outputs[1]
    assert homes[0] == homes[1]


def test_the_flag_and_the_program_are_asked_for(tmp_path: Path, helm: str) -> None:
    here = charted(tmp_path, helm, ONE)
    assert "must specify --enable-helm" in here.same("app").err
    said = here.same("app", "--enable-helm", "--helm-command", "no-such-helm")
    assert "the program 'no-such-helm' is not there (install helm, or name it with --helm-command)" in said.err
    write(tmp_path, {"old-helm": "#!/bin/sh\necho v2.17.0\n"})
    assert (
        "helm 3 or 4 is needed, this is v2.17.0"
        in here.same("app", "--enable-helm", "--helm-command", "./old-helm").err
    )
    assert here.same("app", "--enable-alpha-plugins", "--helm-command", helm).code == 0
