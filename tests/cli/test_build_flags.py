"""Every flag of `kustomize build`, output to files and folders, and what is no such flag: the same as the program does."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.both import Both, both

TREE = {
    "app/kustomization.yaml": "resources: [r.yaml, ../base]\nnamePrefix: p-\ncommonLabels: {a: b}\n",
    "app/r.yaml": """apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: one}
spec: {template: {spec: {containers: [{name: x, image: y}]}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: one}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: 'system:Reader'}
""",
    "base/kustomization.yaml": "namespace: Two\nconfigMapGenerator: [{name: g, literals: [a=b]}]\nvars: []\n",
    "flat/kustomization.yaml": "resources: [../base]\n",
    "empty/kustomization.yaml": "namePrefix: x\n",
    "broken/kustomization.yaml": "resources: [none.yaml]\nimageTags: [{name: a, newTag: b}]\n",
    "sorted/kustomization.yaml": "resources: [../app]\nsortOptions: {order: fifo}\n",
    "vars/kustomization.yaml": """resources: [c.yaml]
vars:
- {name: USED, objref: {apiVersion: v1, kind: ConfigMap, name: c}}
- {name: FREE, objref: {apiVersion: v1, kind: ConfigMap, name: c}}
""",
    "vars/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: {a: 'x $(USED) $(NONE)'}}\n",
    "twice/kustomization.yaml": "resources: [../app]\ncommonLabels: {c: d}\npatchesStrategicMerge: []\nimageTags: []\n",
    "file.yaml": "a: b\n",
}
FIX = b"Run 'kustomize edit fix' to update your Kustomization automatically.\n"


@pytest.fixture
def here(tmp_path: Path) -> Both:
    return both(tmp_path / "work", TREE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["app"],
        ["app/"],
        ["./app/../app"],
        ["HERE/app"],
        ["app", "--reorder", "none"],
        ["app", "--reorder=legacy"],
        ["--reorder", "none", "app"],
        ["app", "--reorder", "other"],
        ["app", "--reorder", ""],
        ["app", "--load-restrictor", ""],
        ["app", "--load-restrictor", "none"],
        ["app", "--load-restrictor=LoadRestrictionsNone"],
        ["app", "--load-restrictor", "LoadRestrictionsRootOnly"],
        ["app", "--enable-managedby-label"],
        ["app", "--enable-managedby-label=true"],
        ["app", "--enable-managedby-label=false"],
        ["app", "--enable-managedby-label", "--enable-managedby-label=f"],
        ["app", "--enable-helm=T", "--enable-alpha-plugins", "--enable-exec=0", "--network", "--as-current-user"],
        ["app", "--enable-helm=maybe"],
        ["--enable-helm", "app"],
        ["app", "-e", "A=b", "--env", "C", "-eD=e", "--mount", "type=bind", "--network-name", "x"],
        ["app", "--helm-command", "", "--helm-debug", "--helm-kube-version", "1", "--helm-api-versions", "a,b"],
        ["app", "--stack-trace"],
        ["app", "--unknown"],
        ["app", "-x"],
        ["app", "--output"],
        ["app", "base"],
        [""],
        ["-"],
        ["none"],
        ["file.yaml"],
        ["app/kustomization.yaml"],
        ["empty"],
        ["broken"],
        ["sorted"],
        ["sorted", "--reorder", "legacy"],
        ["sorted", "--reorder=none"],
        ["vars"],
        ["twice"],
        ["broken", "--enable-managedby-label"],
        ["--", "app"],
        [],
    ],
)
def test_the_same_arguments_do_the_same(here: Both, arguments: list[str]) -> None:
    here.same(*(argument.replace("HERE", str(here.here)) for argument in arguments))


def test_without_a_folder_the_present_one_is_built(here: Both) -> None:
    inside = Both(here.here / "app", here.variables)
    assert inside.same().code == 0


@pytest.mark.parametrize("value", ["on", "ON", "off", ""])
def test_a_variable_labels_too(here: Both, value: str) -> None:
    labelled = Both(here.here, {**here.variables, "KUSTOMIZE_ENABLE_MANAGEDBY_LABEL": value})
    assert ("managed-by" in labelled.same("flat").out) is (value == "on")


@pytest.mark.parametrize(
    ("flags", "target"),
    [
        (["-o", "out.yaml"], "out.yaml"),
        (["-oout.yaml"], "out.yaml"),
        (["-o=out.yaml"], "out.yaml"),
        (["--output=out.yaml"], "out.yaml"),
        (["--output", "folder"], "folder"),
        (["-o", "folder/"], "folder"),
        (["-o", "folder/new.yaml"], "folder"),
        (["-o", "no/such/folder/new.yaml"], ""),
        (["-o", "file.yaml"], "file.yaml"),
        (["-o", ""], ""),
    ],
)
@pytest.mark.parametrize("folder", ["app", "flat", "empty", "broken"])
def test_output_lands_where_kustomize_puts_it(here: Both, flags: list[str], target: str, folder: str) -> None:
    written = []
    for program in (here.theirs, here.ours):
        shutil.rmtree(here.here / "folder", ignore_errors=True)
        (here.here / "folder").mkdir()
        (here.here / "out.yaml").unlink(missing_ok=True)
        said = program(folder, *flags)
        files = (
            sorted((here.here / target).rglob("*")) if target == "folder" else [here.here / target] if target else []
        )
        found = {path.name: path.read_text() for path in files if path.exists()}
        written.append((said.code, said.out, found))
    assert written[0] == written[1]


def test_nothing_is_read_from_standard_input_and_a_closed_reader_makes_no_noise(here: Both) -> None:
    command = f"{sys.executable} -m kilde build flat | true"
    environment = {**here.variables, "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=here.here, env=environment, input=b"apiVersion: v1\n", capture_output=True
    )
    assert done.stdout == b""
    assert done.stderr == b"# Warning: 'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] " + FIX
