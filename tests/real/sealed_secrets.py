"""The real kubeseal and the real Sealed Secrets controller, for tests: what they say, and a controller against an API server."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from build_real import where

BIN = Path(sys.executable).parent
_ACCOUNT = "/run/secrets/kubernetes.io/serviceaccount"
_PATIENCE = 30.0


def required(*names: str) -> None:
    """Skips where `make real` was not run; fails where KILDE_REQUIRE_REAL=1."""
    lacking = [name for name in names if not where(name).exists()]
    if lacking:
        reason = f"not built: {', '.join(lacking)} (make real)"
        if os.environ.get("KILDE_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def kubeseal(*arguments: str, stdin: str = "", kubeconfig: Path | None = None) -> str:
    """What kubeseal prints; AssertionError with its words if it fails."""
    env = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", **({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {})}
    command = [str(where("kubeseal")), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, f"kubeseal {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def kubectl(kubeconfig: Path, *arguments: str, stdin: str = "") -> str:
    """What kubectl prints."""
    command = [str(BIN / "kubectl"), "--kubeconfig", str(kubeconfig), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@contextmanager
def real_controller(kubeconfig: Path, folder: Path, port: int, *flags: str) -> Iterator[str]:
    """A running controller, its URL. It only runs as a pod does, so it is given a service account in a mount of its own."""
    probe = subprocess.run([*_namespace(), "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"no mount namespaces on this machine: {probe.stderr.strip()}")
    account = _service_account(kubeconfig, folder)
    server = urlsplit(json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"])
    program = [str(where("controller")), f"--listen-addr=127.0.0.1:{port}", "--listen-metrics-addr=127.0.0.1:0", *flags]
    enter = f'mount -t tmpfs none /run && mkdir -p {_ACCOUNT} && cp "$0"/* {_ACCOUNT} && exec "$@"'
    env = {
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "POD_NAMESPACE": "kube-system",
        "PATH": os.environ["PATH"],
    }
    with (folder / "controller.log").open("a") as log:
        process = subprocess.Popen(
            [*_namespace(), "sh", "-c", enter, str(account), *program], stdout=log, stderr=log, env=env
        )
    try:
        yield _ready(process, f"http://127.0.0.1:{port}", folder / "controller.log")
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def our_controller(kubeconfig: Path, folder: Path, listen: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """`kilde seal controller`, running."""
    command = [str(BIN / "kilde"), "seal", "controller", "--kubeconfig", str(kubeconfig), "--listen", listen, *flags]
    with (folder / "kilde-seal.log").open("a") as log:
        env = {**os.environ, "POD_NAMESPACE": "kube-system"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=env)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line == "ready", f"it said {line!r}: {(folder / 'kilde-seal.log').read_text()[-2000:]}"
        yield process
    finally:
        with process:
            process.terminate()
            process.wait(20)


def _namespace() -> list[str]:
    return ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]


def _service_account(kubeconfig: Path, folder: Path) -> Path:
    account = folder / "account"
    if account.is_dir():
        return account
    account.mkdir()
    kubectl(kubeconfig, "create", "serviceaccount", "sealed", "-n", "kube-system")
    subject = ("--clusterrole=cluster-admin", "--serviceaccount=kube-system:sealed")
    kubectl(kubeconfig, "create", "clusterrolebinding", "sealed", *subject)
    (account / "token").write_text(kubectl(kubeconfig, "create", "token", "sealed", "-n", "kube-system").strip())
    ca = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["certificate-authority-data"]
    (account / "ca.crt").write_bytes(base64.b64decode(ca))
    (account / "namespace").write_text("kube-system")
    return account


def _ready(process: subprocess.Popen[bytes], url: str, log: Path) -> str:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return url
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise AssertionError(f"the controller is not ready: {log.read_text()[-3000:]}")
