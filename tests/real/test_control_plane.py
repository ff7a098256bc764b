"""The control plane that the suite trusts: it starts, does what a control plane does, survives a restart, leaves nothing."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from real.control_plane import ControlPlane, control_plane

KUBECTL = Path(sys.executable).with_name("kubectl")

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("real_programs")]


def kubectl(plane: ControlPlane, *arguments: str) -> str:
    command = [str(KUBECTL), "--kubeconfig", str(plane.kubeconfig), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_it_is_kubernetes_1_36_3_with_its_controllers(live_cluster: ControlPlane) -> None:
    version = json.loads(kubectl(live_cluster, "get", "--raw", "/version"))
    kubectl(live_cluster, "create", "namespace", "control-plane-test")
    kubectl(live_cluster, "-n", "control-plane-test", "create", "deployment", "web", "--image=web:1")
    deadline = time.monotonic() + 20
    pods = ""
    while not pods and time.monotonic() < deadline:
        pods = kubectl(live_cluster, "-n", "control-plane-test", "get", "pods", "-o", "name")
        time.sleep(0.1)
    kubectl(live_cluster, "create", "namespace", "control-plane-short")
    kubectl(live_cluster, "delete", "namespace", "control-plane-short", "--timeout=30s")

    assert (version["gitVersion"], version["major"], version["minor"]) == ("v1.36.3", "1", "36")
    assert pods.startswith("pod/web-")


def test_the_api_server_comes_back_with_what_it_had(tmp_path: Path) -> None:
    with control_plane(tmp_path / "plane", controllers=False) as plane:
        kubectl(plane, "create", "configmap", "kept", "--from-literal=a=1")
        plane.kill("kube-apiserver")
        plane.start("kube-apiserver")
        kept = kubectl(plane, "get", "configmap", "kept", "-o", "jsonpath={.data.a}")
        pids = [process.pid for process in plane._running.values()]
        used = plane.usage()

    assert kept == "1"
    assert sorted(used) == ["etcd", "kube-apiserver"]
    assert all(one.cpu > 0 and one.memory > 1 << 20 for one in used.values())
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
