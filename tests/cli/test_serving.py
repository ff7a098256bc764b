"""`kilde up` and `kilde cluster` as programs: what they print, how they begin, how they end."""

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `kilde` with such arguments; ends it with the test."""
    with ExitStack() as stack:

        def begin(*arguments: object) -> "subprocess.Popen[str]":
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            process = subprocess.Popen(
                [sys.executable, "-m", "kilde", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


def ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.stderr.read() if process.stderr else ""


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cluster_lets_its_owner_in_when_it_says_ready_and_ends_when_told(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("cluster", "--data-dir", tmp_path / "data", "--controllers", "off")
    ready(process)
    file = tmp_path / "data" / "kubeconfig"
    config = yaml.safe_load(file.read_text())
    may = subprocess.run(
        [KUBECTL, "--kubeconfig", str(file), "auth", "can-i", "*", "*"], capture_output=True, text=True, check=False
    )
    begun = time.monotonic()
    process.send_signal(number)
    code, out, _ = ended(process)

    assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert may.stdout == "yes\n"
    assert (code, out) == (0, "")
    assert time.monotonic() - begun < 20  # a second on an idle machine


def test_an_ephemeral_cluster_leaves_only_the_kubeconfig_it_was_asked_for(start: Start, tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "config"
    process = start("cluster", "--ephemeral", "--controllers", "off", "--api-port", port, "--kubeconfig-out", file)
    ready(process)
    cluster = yaml.safe_load(file.read_text())["clusters"][0]["cluster"]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
    process.terminate()

    assert ended(process)[0] == 0
    assert cluster["server"] == f"https://127.0.0.1:{port}"
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_what_a_cluster_holds_is_there_after_a_restart(start: Start, tmp_path: Path) -> None:
    for attempt in ("create", "get"):
        process = start("cluster", "--data-dir", tmp_path, "--controllers", "off")
        ready(process)
        what = (
            ["configmap", "kept", "--from-literal=a=1"] if attempt == "create" else ["configmap", "kept", "-o", "json"]
        )
        done = subprocess.run(
            [KUBECTL, "--kubeconfig", str(tmp_path / "kubeconfig"), attempt, *what],
            capture_output=True,
            text=True,
            check=False,
        )
        process.terminate()
        assert (ended(process)[0], done.returncode, done.stderr) == (0, 0, "")

    assert json.loads(done.stdout)["data"] == {"a": "1"}


def test_up_serves_what_it_promises_and_ends_when_told(start: Start, tmp_path: Path) -> None:
    port = free_port()
    process = start("up", "--data-dir", tmp_path / "data", "--listen", f"127.0.0.1:{port}")
    begun = time.monotonic()
    ready(process)
    took = time.monotonic() - begun
    probe, metrics = page(port, "/readyz"), page(port, "/metrics")
    kinds = subprocess.run(
        [KUBECTL, "--kubeconfig", str(tmp_path / "data/kubeconfig"), "get", "crd", "-o", "name"],
        capture_output=True,
        text=True,
        check=False,
    )
    process.terminate()
    code, out, _ = ended(process)

    assert (probe, code, out) == ("ok\n", 0, "")
    assert "kilde_applications" in metrics
    assert kinds.stdout.split() == [
        "customresourcedefinition.apiextensions.k8s.io/applications.argoproj.io",
        "customresourcedefinition.apiextensions.k8s.io/applicationsets.argoproj.io",
        "customresourcedefinition.apiextensions.k8s.io/appprojects.argoproj.io",
        "customresourcedefinition.apiextensions.k8s.io/guardedspaces.kilde.dev",
        "customresourcedefinition.apiextensions.k8s.io/sealedsecrets.bitnami.com",
        "customresourcedefinition.apiextensions.k8s.io/vaultsecrets.kilde.dev",
    ]
    assert took < 20  # two seconds on an idle machine; benchmarks/run.py start measures it


def test_one_data_directory_has_one_kilde(start: Start, tmp_path: Path) -> None:
    first = start("up", "--data-dir", tmp_path, "--listen", "127.0.0.1:0")
    ready(first)
    second = start("up", "--data-dir", tmp_path, "--listen", "127.0.0.1:0")

    hint = "hint: stop it, or give another --data-dir\n"
    assert ended(second) == (3, "", f"error: {tmp_path}: another kilde uses this data directory\n{hint}")


def test_an_address_in_use_is_told_before_anything_is_done(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("up", "--data-dir", tmp_path, "--listen", f"127.0.0.1:{port}")

        code, out, err = ended(process)

    assert (code, out) == (3, "")
    assert err.splitlines()[-2:] == [
        f"error: 127.0.0.1:{port}: cannot listen: Address already in use",
        "hint: choose another address with --listen",
    ]


def test_a_kubeconfig_that_is_not_there_is_told(start: Start, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    process = start("up", "--data-dir", tmp_path / "data", "--kubeconfig", missing, "--listen", "127.0.0.1:0")

    code, out, err = ended(process)

    assert (code, out) == (3, "")
    assert str(missing) in err
    assert "Traceback" not in err
