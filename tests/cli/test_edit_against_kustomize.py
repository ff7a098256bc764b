"""`kilde edit` and `kustomize edit` on the same files: the same results and exit codes, the same bytes where they can be."""

import os
import random
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from build_real import where
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from cli import edit_edges
from cli.edit_corpus import Messy, canonical, edits, values
from cli.edit_folder import FILE, folder, ours
from kilde.core.render.kustomize.edit.editing import with_header
from kilde.core.render.kustomize.kustomization import fold_fields, read_fields
from warm.program import warm_kilde

EXAMPLES = int(
    os.environ.get("KILDE_EDIT_EXAMPLES", "80")
)  # of each kind; kustomize takes a tenth of a second for each
pytestmark = pytest.mark.slow
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="KILDE_EDIT_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def kustomize() -> str:
    if not where("kustomize").exists():
        pytest.skip("kustomize is not built (make real)")
    return str(where("kustomize"))


def both(
    kustomize: str, text: str, arguments: list[str], *, for_kustomize: str = ""
) -> tuple[tuple[int, str], tuple[int, str]]:
    """Exit code and file after kustomize's edit, and after ours; `for_kustomize` is what it edits if not `text`."""
    with folder(for_kustomize or text) as root:
        done = subprocess.run([kustomize, "edit", *arguments], capture_output=True, check=False)
        theirs = (done.returncode, (root / FILE).read_text())
        (root / FILE).write_text(text, newline="")
        code = ours(*arguments)
        return theirs, (code, (root / FILE).read_bytes().decode())


def meaning(text: str, *, literals_in_order: bool = True) -> dict[str, Any]:
    """What a kustomization says, as kustomize takes it; images and replicas in order of their names."""
    fields = deepcopy(read_fields(text.encode(), FILE)[0])
    fold_fields(fields)
    for name in ("images", "replicas"):
        if fields.get(name):
            fields[name] = sorted(fields[name], key=lambda entry: entry.get("name", ""))
    for name in ("configMapGenerator", "secretGenerator"):
        for entry in fields.get(name) or []:
            if not literals_in_order:
                entry["literals"] = sorted(entry.get("literals") or [])
    return with_header({name: value for name, value in fields.items() if value})


def is_random(arguments: list[str]) -> bool:
    """Whether kustomize writes the literals of an entry in an order that differs from run to run."""
    return arguments[0] == "set" and arguments[1] in ("configmap", "secret")


@bounded
@given(value=values(in_order=True), rnd=st.randoms(use_true_random=False), arguments=edits)
def test_a_file_as_kustomize_writes_it_is_edited_to_the_same_bytes(
    kustomize: str, value: dict[str, Any], rnd: random.Random, arguments: list[str]
) -> None:
    theirs, mine = both(kustomize, canonical(value, rnd), arguments)

    event(f"{arguments[0]} {arguments[1]}: {theirs[0]}")
    if is_random(arguments):
        assert (mine[0], meaning(mine[1], literals_in_order=False)) == (
            theirs[0],
            meaning(theirs[1], literals_in_order=False),
        )
    else:
        assert mine == theirs


@bounded
@given(
    value=values(in_order=False, deprecated=True, header=False),
    rnd=st.randoms(use_true_random=False),
    arguments=st.one_of(edits, st.just(["fix"])),
    returns=st.booleans(),
)
def test_a_file_as_people_write_it_is_edited_to_say_the_same(
    kustomize: str, value: dict[str, Any], rnd: random.Random, arguments: list[str], returns: bool
) -> None:
    text = Messy(rnd).text(value)
    text = text.replace("\n", "\r\n") if returns else text
    plain = canonical(value, rnd)  # kustomize may take a comment for a part of the text block above it
    assert meaning(text) == meaning(plain)
    theirs, mine = both(kustomize, text, arguments, for_kustomize=plain or "\n")

    event(f"{' '.join(arguments[:2])}: {theirs[0]}")
    assert mine[0] == theirs[0]
    if theirs[0] == 0:
        in_order = not is_random(arguments)
        assert meaning(mine[1], literals_in_order=in_order) == meaning(theirs[1], literals_in_order=in_order)
    else:
        assert mine[1] == text


def test_at_the_edges_of_what_it_takes_kustomize_ends_the_same(kustomize: str) -> None:
    differing = []
    for arguments in edit_edges.EDGES:
        theirs, mine = both(kustomize, edit_edges.FILE, arguments)
        is_same = mine == theirs or (mine[0] == theirs[0] == 0 and meaning(mine[1]) == meaning(theirs[1]))
        if not is_same:
            differing.append((arguments, theirs[0], mine[0]))

    assert differing == []


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    a.b/c: $(HOST)
spec:
  template:
    spec:
      containers:
      - name: web
        args: [$(HOST), "http:$(HOST)", "$(PORT)/x", a-$(PORT)-b]  # many
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n  - port: 80\n"
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: patch\nspec:\n  replicas: 1\n  paused: $(PORT)\n"
USES_VARS = {
    "base/kustomization.yaml": "resources:\n- d.yaml\n- s.yaml\n",
    "base/d.yaml": DEPLOYMENT,
    "base/s.yaml": SERVICE,
    "p.yaml": PATCH,
    FILE: """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- base
patches:
- path: p.yaml
  target:
    kind: Deployment
    name: w.*
vars:
- name: HOST
  objref:
    apiVersion: v1
    kind: Service
    name: web
- name: PORT
  fieldref:
    fieldPath: spec.ports[0].port
  objref:
    apiVersion: v1
    kind: Service
    name: web
    namespace: shop
- name: UNUSED
  objref:
    apiVersion: apps/v1
    kind: Deployment
    name: web
""",
}


def test_vars_become_the_same_replacements_and_placeholders(kustomize: str, tmp_path: Path) -> None:
    after = []
    for name in ("theirs", "ours"):
        for path, content in USES_VARS.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(content)
        command = [kustomize] if name == "theirs" else [str(warm_kilde())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [*command, "edit", "fix", "--vars"], cwd=tmp_path / name, capture_output=True, check=False, env=environment
        )
        assert done.returncode == 0
        after.append({path: (tmp_path / name / path).read_text() for path in USES_VARS})

    assert after[1] == after[0]
