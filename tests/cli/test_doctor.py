"""`kilde doctor`: the whole table on the embedded API server and on a real one, as JSON and as metrics; contexts; a real etcd."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from cli.command_line import Kilde
from real.control_plane import ControlPlane, etcd_members

_NUMBER = re.compile(r"\d[\d,.]*( (µs|ms|s|MiB)\b)?%?")
_CRDS = "kilde install --crds | kubectl apply --server-side -f -"


def kubectl(config: Path, *arguments: str, stdin: str) -> None:
    command = [Path(sys.executable).with_name("kubectl"), "--kubeconfig", config, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def shape(out: str, *hidden: str) -> list[str]:
    """The lines of a table without its figures and paddings, which no two machines share."""
    lines = []
    for line in out.splitlines():
        for text in hidden:
            line = line.replace(text, "…")
        lines.append(re.sub(r"  +", "  ", _NUMBER.sub("#", line)).strip())
    return lines


def test_a_machine_and_its_cluster_in_one_table(kilde: Kilde, cluster_dir: Path, tmp_path: Path) -> None:
    said = kilde("doctor", "--data-dir", tmp_path, "--kubeconfig", cluster_dir / "kubeconfig")
    assert said.err == ""
    lines = [re.sub(r"^(good|watch|bad|unknown) +", "", line) for line in shape(said.out, str(tmp_path))]
    # what other tests have left in a cluster that is shared shows in these
    shared = (
        "certificates ",
        "cluster definitions",
        "api etcd-writes",
        "git ",
        "secrets keys",
        "cluster orphans",
        "cluster versions",
        "webhooks ",
    )
    judged = [line for line in lines if not line.startswith(("→", *shared))]
    wanted = (
        "machine cpu-steal  #", "machine descriptors  #", "machine entropy  #", "disk fsync  …: p# #", "api version  Kubernetes v#",
        "api round-trip  # small requests: p# #, p# #", "machine clock  the API server's clock",
        "api requests  requests for one object: p# #, p# # (should stay below #)",
        "api rejected  # requests turned away by priority and fairness",
        "backups folder  where they are was not said",
    )  # fmt: skip
    assert len(judged) == len(wanted), "\n".join(judged)
    for line, beginning in zip(judged, wanted, strict=True):
        assert line.startswith(beginning), (line, beginning)
    assert any(line.startswith("git credentials") for line in lines)
    for area in ("cluster definitions", "cluster versions", "webhooks secrets", "webhooks ", "certificates "):
        assert any(line.startswith(area) for line in lines), area


def test_what_is_missing_is_bad_and_says_what_to_do(kilde: Kilde, embedded: Path) -> None:
    said = kilde("doctor", "--kubeconfig", embedded / "kubeconfig", "-o", "json")
    found = json.loads(said.out)
    definitions = next(each for each in found if each["check"] == "definitions")
    assert (definitions["verdict"], definitions["hint"]) in (
        ("bad", _CRDS),
        ("good", ""),
    )  # others may have installed them
    assert said.code == int(any(each["verdict"] == "bad" for each in found))


def test_it_is_a_page_of_metrics_too(kilde: Kilde, embedded: Path) -> None:
    said = kilde("doctor", "--kubeconfig", embedded / "kubeconfig", "-o", "prometheus")
    families = {family.name: family for family in text_string_to_metric_families(said.out)}
    assert set(families) == {"kilde_doctor_verdict", "kilde_doctor_number"}
    verdicts: dict[tuple[str, str], float] = {}
    for sample in families["kilde_doctor_verdict"].samples:
        key = sample.labels["area"], sample.labels["check"]
        verdicts[key] = verdicts.get(key, 0) + sample.value
    assert set(verdicts.values()) == {1.0}
    assert ("api", "round-trip") in verdicts


def test_an_api_server_that_is_not_there(kilde: Kilde, embedded: Path, tmp_path: Path) -> None:
    config = yaml.safe_load((embedded / "kubeconfig").read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    said = kilde("doctor", "--kubeconfig", tmp_path / "kubeconfig", "--etcd-metrics", "127.0.0.1:1", "-o", "json")
    found = {f"{each['area']}/{each['check']}": each["verdict"] for each in json.loads(said.out)}
    assert (said.code, said.err) == (1, "")
    assert found["api/reachable"] == "bad"
    assert found["etcd/metrics"] == "unknown"


HOOKED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: default}
data: {resource.exclusions: "- {apiGroups: [''], kinds: [ServiceAccount]}"}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: doctor-excluded
  namespace: default
  annotations: {argocd.argoproj.io/tracking-id: "doctor-gone:/ServiceAccount:default/doctor-excluded"}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: doctor-lonely
  namespace: default
  annotations: {argocd.argoproj.io/tracking-id: "doctor-gone:/ConfigMap:default/doctor-lonely"}
---
apiVersion: v1
kind: Service
metadata: {name: doctor-sick, namespace: default}
spec: {ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: doctor-dead}
webhooks:
- name: dead.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {namespace: default, name: doctor-nobody}}
  rules: [{apiGroups: [doctor.example.com], apiVersions: ["*"], operations: [CREATE], resources: [things]}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: doctor-sick}
webhooks:
- name: sick.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  timeoutSeconds: 2
  clientConfig: {service: {namespace: default, name: doctor-sick}}
  rules: [{apiGroups: [doctor.example.com], apiVersions: ["*"], operations: [CREATE], resources: [things]}]
"""


def test_webhooks_that_do_not_answer_and_objects_that_were_left(
    kilde: Kilde, cluster_dir: Path, tmp_path: Path
) -> None:
    config = cluster_dir / "kubeconfig"
    kubectl(config, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=kilde("install", "--crds").out)
    kubectl(config, "wait", "--for=condition=Established", "crd/applications.argoproj.io", "--timeout=30s", stdin="")
    kubectl(config, "apply", "-f", "-", stdin=HOOKED)
    try:
        said = kilde("doctor", "--kubeconfig", config, "--namespace", "default", "-o", "json")
    finally:
        kubectl(config, "delete", "--ignore-not-found", "-f", "-", stdin=HOOKED)
    found = {f"{each['area']}/{each['check']}": (each["verdict"], each["says"]) for each in json.loads(said.out)}
    assert said.code == 1
    assert found["webhooks/validating/doctor-dead/dead.example.com"] == (
        "bad", "every write of things is refused: there is no Service default/doctor-nobody",
    )  # fmt: skip
    assert found["webhooks/mutating/doctor-sick/sick.example.com"] == (
        "watch", "each write of things may wait 2 s, and is not looked at: Service default/doctor-sick has no ready address",
    )  # fmt: skip
    assert found["cluster/orphans/doctor-gone"] == (
        "watch", "there is no application doctor-gone, but 1 object of it: ConfigMap default/doctor-lonely",
    )  # fmt: skip


def test_it_looks_for_backups_where_it_is_told(kilde: Kilde, embedded: Path, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    assert kilde("cluster", "snapshot", tmp_path / "backups" / "tonight.kilde", "--data-dir", embedded).code == 0
    said = kilde("doctor", "--kubeconfig", embedded / "kubeconfig", "--backups", tmp_path / "backups", "-o", "json")
    found = {
        each["check"]: (each["verdict"], each["says"]) for each in json.loads(said.out) if each["area"] == "backups"
    }
    assert found["cluster"] == ("good", "the newest of the cluster, tonight.kilde, is 0 h old")
    said = kilde("doctor", "--kubeconfig", embedded / "kubeconfig", "--backups", tmp_path / "none")
    assert (said.code, "is no folder of backups" in said.err, "Traceback" in said.err) == (3, True, False)


@pytest.mark.live
def test_each_peer_of_a_real_etcd_is_told_apart(
    kilde: Kilde, embedded: Path, real_programs: None, tmp_path: Path
) -> None:
    with etcd_members(tmp_path, 3) as urls:
        deadline, peers = time.monotonic() + 60, {}
        while len(peers) < 2 and time.monotonic() < deadline:  # a member measures its peers every few seconds
            said = kilde("doctor", "--kubeconfig", embedded / "kubeconfig", "--etcd-metrics", urls[0], "-o", "json")
            peers = {
                each["check"]: each for each in json.loads(said.out) if each["check"].startswith("peer-round-trip/")
            }
    assert len(peers) == 2
    for each in peers.values():
        assert each["numbers"]["count"] > 0
        assert 0 < each["numbers"]["p50"] < 1


@pytest.mark.live
def test_a_real_etcd_tells_of_its_disk(kilde: Kilde, live_cluster: ControlPlane) -> None:
    said = kilde(
        "doctor", "--kubeconfig", live_cluster.kubeconfig, "--etcd-metrics", live_cluster.etcd_url, "-o", "json"
    )
    found = {each["check"]: each for each in json.loads(said.out) if each["area"] == "etcd"}
    assert set(found) >= {
        "wal-fsync",
        "backend-commit",
        "leader",
        "leader-changes",
        "slow-applies",
        "pending-proposals",
        "database",
    }
    assert found["leader"]["verdict"] == "good"
    assert found["wal-fsync"]["numbers"]["count"] > 0


def contexts_file(folder: Path, cluster: Path) -> Path:
    """A kubeconfig of three contexts to one cluster: an administrator's, a nobody's, and one to nowhere."""
    config = yaml.safe_load((cluster / "kubeconfig").read_text())
    here, admin = config["clusters"][0]["cluster"], config["users"][0]["user"]
    named = {
        "clusters": [
            {"name": "here", "cluster": here},
            {"name": "gone", "cluster": {**here, "server": "https://127.0.0.1:1"}},
        ],
        "users": [{"name": "admin", "user": admin}, {"name": "reader", "user": {**admin, "as": "somebody"}}],
        "contexts": [
            {"name": "eu-prod", "context": {"cluster": "here", "user": "admin"}},
            {"name": "eu-prod-reader", "context": {"cluster": "here", "user": "reader"}},
            {"name": "staging", "context": {"cluster": "here", "user": "admin"}},
            {"name": "prod-2", "context": {"cluster": "gone", "user": "admin"}},
        ],
        "current-context": "eu-prod",
    }
    file = folder / "config"
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **named}))
    file.chmod(0o644)
    return file


def test_production_within_reach_of_a_slip_of_the_hand(kilde: Kilde, cluster_dir: Path, tmp_path: Path) -> None:
    file = contexts_file(tmp_path, cluster_dir)
    said = kilde("doctor", "kubeconfig", "--kubeconfig", file)
    lines = [re.sub(r"  +", "  ", line) for line in said.out.splitlines() if "→" not in line]
    assert (said.code, said.err) == (1, "")
    assert lines[:3] == [
        f"watch  kubeconfig file  {file} can be read by others on this machine (mode 0644)",
        "bad  kubeconfig eu-prod  may delete namespaces, and is what a plain kubectl means (production, current)",
        "good  kubeconfig eu-prod-reader  may not delete namespaces (production)",
    ]
    assert lines[3].startswith("unknown kubeconfig prod-2  what it may do is not known: ")
    assert lines[4:] == ["good  kubeconfig staging  may delete namespaces (not production)"]


def test_words_that_are_no_use_are_refused(kilde: Kilde, tmp_path: Path) -> None:
    said = kilde("doctor", "kubeconfig", "--production", "(")
    assert (said.code, "is not a regular expression" in said.err) == (2, True)
    said = kilde("doctor", "kubeconfig", "--kubeconfig", tmp_path / "none")
    assert (said.code, "there is no kubeconfig" in said.err) == (3, True)
    said = kilde("doctor", "disk", tmp_path / "none")
    assert (said.code, "is not a directory" in said.err, "Traceback" in said.err) == (3, True, False)
