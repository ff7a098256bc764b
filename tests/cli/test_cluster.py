"""`kilde cluster` by name: several side by side, in the background, listed, stopped, moved in time, kept in a file and made from one."""

import gzip
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kilde.kubeapi.occupied import occupied
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.storage.snapshot import written
from kilde.kubeapi.storage.store import Store
from warm.program import warm_kilde

pytestmark = pytest.mark.slow
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


Kilde = Callable[..., Said]


@pytest.fixture
def kilde(tmp_path: Path) -> Iterator[Kilde]:
    """Runs `kilde` with a home of its own, and ends what it left in the background."""
    home = tmp_path / "home"
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}

    def run(*words: object) -> Said:
        command = [str(warm_kilde()), *map(str, words)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        return Said(done.returncode, done.stdout, done.stderr)

    yield run
    for one in json.loads(run("cluster", "list", "-o", "json").out):
        run("cluster", "stop", one["name"])


def kubectl(kubeconfig: str, *words: str) -> str:
    done = subprocess.run([KUBECTL, "--kubeconfig", kubeconfig, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def path_of(kilde: Kilde, name: str) -> str:
    return kilde("cluster", "kubeconfig", name, "--path").out.strip()


def test_several_clusters_run_side_by_side(kilde: Kilde, tmp_path: Path) -> None:
    assert kilde("cluster", "--name", "a", "--detach", "--controllers", "off") == Said(0, "ready\n", "")
    assert kilde("cluster", "--name", "b", "-d", "--controllers", "off").code == 0
    kubectl(path_of(kilde, "a"), "create", "configmap", "only-in-a")

    listed = json.loads(kilde("cluster", "list", "-o", "json").out)
    assert [(one["name"], one["state"]) for one in listed] == [("a", "Running"), ("b", "Running")]
    assert listed[0]["server"] != listed[1]["server"]
    assert "only-in-a" not in kubectl(path_of(kilde, "b"), "get", "configmaps")
    assert kilde("cluster", "kubeconfig", "a").out == Path(path_of(kilde, "a")).read_text()

    again = kilde("cluster", "--name", "a", "--controllers", "off")
    folder = tmp_path / "home/.local/state/kilde/clusters/a"
    assert again == Said(
        3, "", f"error: {folder}: another cluster uses this data directory\nhint: stop it, or give another --data-dir\n"
    )

    assert kilde("cluster", "stop", "a") == Said(0, "a stopped\n", "")
    assert kilde("cluster", "stop", "a") == Said(0, "", "a does not run\n")
    table = [line.split()[:3] for line in kilde("cluster", "list").out.splitlines()]
    assert table == [["NAME", "STATE", "SERVER"], ["a", "Stopped", "-"], ["b", "Running", listed[1]["server"]]]
    assert kilde("cluster", "--name", "a", "-d", "--controllers", "off").code == 0
    assert "only-in-a" in kubectl(path_of(kilde, "a"), "get", "configmaps")


def test_an_ephemeral_cluster_with_a_name_leaves_nothing(kilde: Kilde, tmp_path: Path) -> None:
    assert kilde("cluster", "--name", "gone", "--ephemeral", "-d", "--controllers", "off").code == 0
    kubectl(path_of(kilde, "gone"), "get", "nodes")
    assert kilde("cluster", "stop", "gone").code == 0
    assert kilde("cluster", "list") == Said(
        0, "", "no clusters with names; start one with: kilde cluster --name NAME\n"
    )
    assert list((tmp_path / "home/.local/state/kilde/clusters").iterdir()) == []


ENDS_SLOWLY = """
import os, pathlib, signal, sys, time
from kilde.kubeapi.occupied import Running, noted, occupied
folder = pathlib.Path(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with occupied(folder):
    with noted(folder, Running(os.getpid(), "https://127.0.0.1:1", 0.0)):
        print("ready", flush=True)
        signal.sigwait([signal.SIGTERM])
    time.sleep(0.5)
"""


def test_a_cluster_is_stopped_when_its_folder_is_free(kilde: Kilde, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDS_SLOWLY, tmp_path], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        assert kilde("cluster", "stop", "--data-dir", tmp_path) == Said(0, f"{tmp_path} stopped\n", "")
        with occupied(tmp_path):
            pass


def test_a_cluster_begins_with_manifests_and_its_time_is_moved(kilde: Kilde, tmp_path: Path) -> None:
    folder = tmp_path / "manifests" / "deep"
    folder.mkdir(parents=True)
    (folder / "web.yaml").write_text(WEB)
    (tmp_path / "kustomization.yaml").write_text("nameSuffix: -two\nresources: [manifests/deep/web.yaml]\n")
    loads = ("--load", "manifests", "--load", ".")
    assert kilde("cluster", "--name", "a", "-d", "--clock", "manual", *loads) == Said(0, "ready\n", "")
    told = kilde("cluster", "advance", "1m", "a")
    assert (told.code, len(told.out)) == (0, len("2026-01-01T00:00:00Z\n"))
    words = (
        "get",
        "deployments",
        "-n",
        "shop",
        "--no-headers",
        "-o",
        "custom-columns=:metadata.name,:status.readyReplicas",
    )
    assert kubectl(path_of(kilde, "a"), *words).split() == ["web", "1", "web-two", "1"]


def test_a_file_of_a_folder_that_has_no_object_is_told(kilde: Kilde, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all/web.yaml").write_text(WEB)
    (tmp_path / "all/values.yaml").write_text("replicas: 3\n")
    (tmp_path / "all/broken.yaml").write_text("apiVersion: v1\nkind: [\n")
    (tmp_path / "all/README.md").write_text("Nobody takes it for a manifest.\n")
    told = kilde("cluster", "--name", "b", "-d", "--load", "all/web.yaml", "--controllers", "off")
    assert told == Said(0, "ready\n", "")
    told = kilde("cluster", "--name", "a", "-d", "--load", "all", "--controllers", "off")
    broken, values = told.err.splitlines()
    assert (told.code, told.out) == (0, "ready\n")
    assert broken.startswith("warning: all/broken.yaml:3:1: passed over, for did not find")
    assert values == "warning: all/values.yaml: passed over, for there is no Kubernetes object in it"


def test_a_manifest_that_is_refused_is_named_with_its_place(kilde: Kilde, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB.replace("image:", "imge:"))
    told = kilde("cluster", "--name", "a", "-d", "--load", "web.yaml", "--controllers", "off")
    assert (told.code, told.out) == (3, "")
    assert told.err.startswith("error: web.yaml:1: apps/Deployment shop/web: ")
    assert "imge" in told.err or "image" in told.err
    (tmp_path / "bad.yaml").write_text("apiVersion: v1\nkind: [\n")
    told = kilde("cluster", "--name", "a", "-d", "--load", "bad.yaml", "--controllers", "off")
    assert (told.code, told.err.startswith("error: bad.yaml:3")) == (3, True), told
    (tmp_path / "bad.yaml").write_text("a: 1\n")
    told = kilde("cluster", "--name", "a", "-d", "--load", "bad.yaml", "--controllers", "off")
    assert told == Said(3, "", "error: bad.yaml: there is no Kubernetes object in it\n")
    (tmp_path / "bad.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: true\n")
    told = kilde("cluster", "--name", "a", "-d", "--load", "bad.yaml", "--controllers", "off")
    assert told == Said(3, "", "error: bad.yaml:4:3: metadata.name: must be a string, not true\nhint: quote it\n")
    assert kilde("cluster", "--name", "b", "-d", "--load", "nowhere").err.startswith(
        "error: nowhere: no such file or folder"
    )


@pytest.mark.parametrize("runs", [True, False])
def test_a_snapshot_is_a_cluster_again(kilde: Kilde, tmp_path: Path, runs: bool) -> None:
    kilde("cluster", "--name", "a", "-d", "--controllers", "off")
    kubectl(path_of(kilde, "a"), "create", "configmap", "c", "--from-literal=a=1")
    before = json.loads(kubectl(path_of(kilde, "a"), "get", "configmap", "c", "-o", "json"))
    if not runs:
        kilde("cluster", "stop", "a")

    told = kilde("cluster", "snapshot", "s.kilde", "a")
    assert (told.code, told.out.startswith("s.kilde: ")) == (0, True)
    assert stat.S_IMODE((tmp_path / "s.kilde").stat().st_mode) == 0o600
    told = kilde("cluster", "restore", "s.kilde", "--name", "b")
    assert (told.code, told.out.startswith("b: "), told.out.endswith(" objects\n")) == (0, True, True)
    kilde("cluster", "--name", "b", "-d", "--controllers", "off")
    after = json.loads(kubectl(path_of(kilde, "b"), "get", "configmap", "c", "-o", "json"))
    assert after == before
    kubectl(path_of(kilde, "b"), "create", "configmap", "later")  # resourceVersions go on
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("s.kilde")] == ["s.kilde"]

    refused = kilde("cluster", "restore", "s.kilde", "--name", "b")
    assert refused.code == 3  # it runs
    kilde("cluster", "stop", "b")
    assert "has objects already" in kilde("cluster", "restore", "s.kilde", "--name", "b").err
    assert kilde("cluster", "restore", "s.kilde", "--name", "b", "--force").code == 0
    kilde("cluster", "--name", "b", "-d", "--controllers", "off")
    assert "later" not in kubectl(path_of(kilde, "b"), "get", "configmaps")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda data: data[: len(data) // 2], "cannot be read"),
        (lambda data: b"kilde", "cannot be read"),
        (lambda data: gzip.compress(b'{"kind":"other"}\n{}\n'), "is no snapshot of a Kilde cluster"),
        (lambda data: gzip.compress(gzip.decompress(data).replace(b'"format":1', b'"format":9')), "has format 9"),
        (lambda data: gzip.compress(gzip.decompress(data).replace(b'"a":"1"', b'"a":"2"')), "is not a whole snapshot"),
        (lambda data: gzip.compress(b"".join(gzip.decompress(data).splitlines(True)[:-1])), "is not a whole snapshot"),
    ],
)
def test_a_file_that_is_no_whole_snapshot_changes_nothing(
    kilde: Kilde, tmp_path: Path, spoil: Callable[[bytes], bytes], complaint: str
) -> None:
    store = Store()
    store.put(Key("configmaps", "default", "c"), {"metadata": {"name": "c"}, "data": {"a": "1"}})
    (tmp_path / "s.kilde").write_bytes(spoil(written(store, 0.0)))

    told = kilde("cluster", "restore", "s.kilde", "--name", "b")

    assert (told.code, told.out, "Traceback" in told.err) == (3, "", False)
    assert told.err.startswith(f"error: s.kilde: {complaint}")
    assert not list((tmp_path / "home/.local/state/kilde/clusters/b").glob("*.db*"))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--name", "a", "--data-dir", "x"), "give --name or --data-dir, not both"),
        (("--name", "A_b"), "'A_b' cannot name a cluster: use a-z, 0-9 and -"),
        (("--ephemeral", "--detach"), "--detach needs a cluster that can be found again: --name or --data-dir"),
        (("--ephemeral", "--clock", "fast"), "Invalid value for '--clock': 'fast' is not real, manual or xN"),
        (("stop",), "say which cluster: NAME or --data-dir (kilde cluster list shows those with names)"),
        (("kubeconfig", "a", "--data-dir", "x"), "give a NAME or --data-dir, not both"),
        (("restore", "f"), "say which cluster: --name or --data-dir"),
        (("advance", "soon", "a"), "'soon' is not a duration; write 90s, 5m or 1h"),
    ],
)
def test_what_is_used_wrongly_is_told(kilde: Kilde, words: tuple[str, ...], complaint: str) -> None:
    told = kilde("cluster", *words)

    assert (told.code, told.out) == (2, "")
    assert complaint in told.err


def test_a_cluster_that_is_not_there_is_told(kilde: Kilde) -> None:
    for words in (("stop", "x"), ("kubeconfig", "x"), ("snapshot", "f", "x"), ("advance", "1s", "x")):
        told = kilde("cluster", *words)
        assert told == Said(
            3, "", "error: x: there is no such cluster\nhint: kilde cluster list shows those with names\n"
        )


def test_pretend_nodes_register_with_labels_and_taints(kilde: Kilde) -> None:
    marks = ["--taint", "node-1", "reserved=yes:NoSchedule", "--taint", "node-1", "old:NoExecute"]
    assert kilde("cluster", "--name", "a", "-d", *marks, "--label", "node-0", "example.com/zone=a").code == 0
    path = path_of(kilde, "a")
    for name in ("node-0", "node-1"):
        kubectl(path, "wait", "--for=create", f"node/{name}", "--timeout=30s")
    spec = json.loads(kubectl(path, "get", "node", "node-1", "-o", "json"))["spec"]
    assert [{key: one[key] for key in one if key != "timeAdded"} for one in spec["taints"]] == [
        {"effect": "NoSchedule", "key": "reserved", "value": "yes"},
        {"effect": "NoExecute", "key": "old"},
    ]
    assert kubectl(path, "get", "nodes", "-l", "example.com/zone=a", "-o", "name") == "node/node-0\n"
    kubectl(path, "create", "deployment", "web", "--image=web:1", "--replicas=3")
    kubectl(path, "wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    where = kubectl(path, "get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert where == "node-0 node-0 node-0"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--taint", "node-1", "reserved=yes"], "a taint is KEY=VALUE:EFFECT"),
        (["--taint", "node-1", "a b=c:NoSchedule"], "its key: name part must consist of"),
        (["--taint", "node-1", "a:NoSchedule", "--taint", "node-1", "a=b:NoSchedule"], "this key twice"),
        (["--label", "node-1", "zone"], "a label is KEY=VALUE"),
        (["--label", "node-1", "zone=a b"], "its value: a valid label must be"),
        (["--label", "node-7", "zone=a"], "node-7 is none of 2 (node-0, …)"),
        (["--label", "node-1", "zone=a", "--controllers", "on"], "node-1 is none without --controllers simulate"),
    ],
)
def test_marks_that_cannot_be_are_refused_before_anything_starts(kilde: Kilde, words: list[str], why: str) -> None:
    said = kilde("cluster", "--ephemeral", *words)
    assert said.code != 0
    assert why in said.err
    assert "Traceback" not in said.err
