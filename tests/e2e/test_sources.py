"""Every kind of source on both clusters: charts with values of another repository, kustomize, Jsonnet, folders, override files, plugins.

One repository has a folder for each, an Application of its own deploys it, and what stands in the cluster says which knobs were obeyed.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from build_real import where

from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.2.3\n",
    "chart/values.yaml": "from: chart\nparameter: chart\nobject: chart\n",
    "chart/notes.txt": "a file",
    "chart/templates/cm.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: chart}\ndata:\n  from: {{ .Values.from }}\n"
        "  parameter: {{ .Values.parameter | quote }}\n  object: {{ .Values.object }}\n  release: {{ .Release.Name }}\n"
        "  file: {{ .Values.file }}\n  kube: {{ .Capabilities.KubeVersion.Version }}\n"
        '  api: {{ .Capabilities.APIVersions.Has "example.org/v1" | quote }}\n  space: {{ .Release.Namespace }}\n'
    ),
    "chart/values.schema.json": '{"properties": {"from": {"type": "integer"}}}',  # which is not what it is
    "chart/crds/crd.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: never.skipped.example}\n"
    ),
    "chart/templates/tests/test.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tested, annotations: {'helm.sh/hook': test}}\n"
    ),
}
FILES = {
    **CHART,
    "kustomized/kustomization.yaml": "resources: [cm.yaml]\n",
    "kustomized/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kustomized}\n",
    "kustomized/.argocd-source-kustomized.yaml": "kustomize: {commonLabels: {from: the-override-file}}\n",
    "jsonnet/main.jsonnet": (
        "local lib = import 'lib.libsonnet'; function(team) {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'jsonnet'},"
        " data: {ext: std.toString(std.extVar('n') + 1), team: team, lib: lib}}"
    ),
    "vendor/lib.libsonnet": "'vendored'",
    "plain/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain-a}\n",
    "plain/below/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain-b}\n",
    "plain/below/skipped.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain-skipped}\n",
    "plain/below/c.yml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain-not-included}\n",
    "plugged/words.txt": "hello",
}
PLUGIN = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "ConfigManagementPlugin",
    "metadata": {"name": "words"},
    "spec": {
        "init": {"command": ["sh", "-c", "tr a-z A-Z < words.txt > loud.txt"]},
        "generate": {
            "command": ["sh", "-c"],
            "args": [
                'echo \'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plugged"}, "data":'
                ' {"says": "\'$(cat loud.txt) $ARGOCD_ENV_WHO\'", "app": "\'$ARGOCD_APP_NAME\'",'
                ' "parameters": "\'$PARAM_TONE $PARAM_WORDS_0 $PARAM_MARKS_END\'"}}\''
            ],
        },
        "discover": {"find": {"glob": "**/words.txt"}},
        "parameters": {"static": [{"name": "tone", "string": "quiet"}]},
    },
}


def environments(stage: Stage) -> str:
    """Another repository, with values; its address."""
    bare, work = stage.folder / "environments.git", stage.folder / "environments"
    stage.git("init", "-q", "--bare", "-b", "main", str(bare), at=stage.folder)
    stage.git("init", "-q", "-b", "main", str(work), at=stage.folder)
    (work / "test").mkdir()
    (work / "test/values.yaml").write_text("from: another repository\n")
    stage.git("add", "-A", at=work)
    stage.git("commit", "-q", "-m", "values", at=work)
    stage.git("push", "-q", str(bare), "main", at=work)
    return f"file://{bare}"


def applications(stage: Stage) -> dict[str, dict[str, Any]]:
    """What each Application says of its source, or sources."""
    here = {"repoURL": stage.url, "targetRevision": "main"}
    helm = {
        "valueFiles": ["val*.yaml", "missing.yaml", "$envs/test/values.yaml"],
        "ignoreMissingValueFiles": True,
        "values": "object: the object wins\n",
        "valuesObject": {"object": "inline"},
        "parameters": [{"name": "parameter", "value": "7", "forceString": True}],
        "fileParameters": [{"name": "file", "path": "notes.txt"}],
        "releaseName": "released",
        "namespace": "told",
        "kubeVersion": "1.30.0",
        "apiVersions": ["example.org/v1"],
        "skipCrds": True,
        "skipTests": True,
        "skipSchemaValidation": True,
    }
    kustomize = {"namePrefix": "a-", "commonAnnotations": {"example.org/app": "${ARGOCD_APP_NAME}"}}
    jsonnet = {
        "extVars": [{"name": "n", "value": "3", "code": True}],
        "tlas": [{"name": "team", "value": "$ARGOCD_APP_PROJECT_NAME"}],
        "libs": ["vendor"],
    }
    globs = {"include": "{*.yaml,no/*}", "exclude": "*/skipped.yaml"}
    parameters = [
        {"name": "tone", "string": "soft"},
        {"name": "words", "array": ["first"]},
        {"name": "marks", "map": {"end": "!"}},
    ]
    plugin = {"env": [{"name": "WHO", "value": "you"}], "parameters": parameters}
    one = {"path": "chart", "helm": helm}
    return {
        "charts": {
            "sources": [{**here, **one}, {"repoURL": environments(stage), "targetRevision": "main", "ref": "envs"}]
        },
        "kustomized": {
            "source": {**here, "path": "kustomized", "kustomize": {**kustomize, "commonAnnotationsEnvsubst": True}}
        },
        "jsonnet": {"source": {**here, "path": "jsonnet", "directory": {"jsonnet": jsonnet}}},
        "plain": {"source": {**here, "path": "plain", "directory": {"recurse": True, **globs}}},
        "plugged": {"source": {**here, "path": "plugged", "plugin": plugin}},
    }


def test_every_kind_of_source_is_deployed(stage: Stage, tmp_path: Path, real_programs: None) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/words.yaml").write_text(json.dumps(PLUGIN))
    stage.options = ("--plugins", str(tmp_path / "plugins"), "--helm-command", str(where("helm4")))
    stage.create_repository(FILES)
    stage.start()
    space = f"{stage.space}-x"[-60:].lstrip("-")
    for name, spec in applications(stage).items():
        stage.application(name, "", space, **{"source": None, **spec})
    for name in ("charts", "kustomized", "jsonnet", "plain", "plugged"):
        stage.until(lambda name=name: stage.is_well(name), f"{name} is well")

    found = json.loads(stage.kubectl("get", "configmaps", "-n", space, "-o", "json"))["items"]
    made = {one["metadata"]["name"]: one for one in found}
    made.pop("kube-root-ca.crt", None)
    assert {name: one.get("data", {}) for name, one in made.items()} == {
        "chart": {
            "from": "another repository",
            "parameter": "7",
            "object": "inline",
            "release": "released",
            "file": "a file",
            "kube": "v1.30.0",
            "api": "true",
            "space": "told",
        },
        "a-kustomized": {},
        "jsonnet": {"ext": "4", "team": "default", "lib": "vendored"},
        "plain-a": {},
        "plain-b": {},
        "plugged": {"says": "HELLO you", "app": "plugged", "parameters": "soft first !"},
    }
    metadata = made["a-kustomized"]["metadata"]
    assert metadata["labels"]["from"] == "the-override-file"
    assert metadata["annotations"]["example.org/app"] == "kustomized"
    kinds = {
        name: stage.status(name).get("sourceType") or stage.status(name)["sourceTypes"]
        for name in applications_of(stage)
    }
    assert kinds == {
        "charts": ["Helm", ""],
        "kustomized": "Kustomize",
        "jsonnet": "Directory",
        "plain": "Directory",
        "plugged": "Plugin",
    }
    without_helm(stage)


def without_helm(stage: Stage) -> None:
    """Started again on a machine without helm, Kilde says so of a chart that changes, and leaves what there is."""
    stage.stop()
    stage.options = (*stage.options[:2], "--helm-command", "/no/helm")
    stage.start()
    stage.commit({"chart/values.yaml": "from: another\nparameter: chart\nobject: chart\n"})
    stage.push()
    stage.until(lambda: stage.conditions("charts"), "what is missing is told")
    assert stage.conditions("charts") == [
        "ComparisonError: Failed to load target state: failed to generate manifest for source 1 of 2: "
        "the program '/no/helm' is not there (install helm, or name it with --helm-command)"
    ]
    assert stage.status("charts")["health"]["status"] == "Healthy"


def applications_of(stage: Stage) -> list[str]:
    found = json.loads(stage.kubectl("get", "applications", "-n", stage.space, "-o", "json"))
    return [one["metadata"]["name"] for one in found["items"]]
