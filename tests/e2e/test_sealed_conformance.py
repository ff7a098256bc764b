"""Every recorded case of the real Sealed Secrets controller, replayed against ours on the embedded cluster."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.stage import BIN, Stage, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_every_recorded_case_of_the_controller(shared: Path, tmp_path: Path) -> None:
    cases = shared / "conformance/sealed-secrets"
    address = f"127.0.0.1:{free_port()}"
    stage = Stage(tmp_path, None, "argocd")
    stage.options = ("--seal-listen", address, "--seal-key-renew-period", "0", "--seal-rate-limit", "1000")
    stage.start()
    try:
        current = '"names": ["sealed-secrets-key-test-current", "sealed-secrets-key-test-old"]'
        label = "sealedsecrets.bitnami.com/sealed-secrets-key"
        stage.until(
            lambda: label in stage.kubectl("get", "secrets", "-n", "kube-system", "-o", "yaml"), "the first key"
        )
        stage.kubectl("apply", "-f", str(cases / "keys/key-secrets.json"))
        made = stage.kubectl("get", "secret", "-n", "kube-system", "-l", label, "-o", "name").split()
        stage.kubectl("delete", "-n", "kube-system", *[name for name in made if "-test-" not in name])
        stage.until(lambda: current in stage.log(), "the keys of the cases")
        command = [sys.executable, str(cases / "replay.py"), "--http", f"http://{address}"]
        command += ["--seal-cmd", f"{BIN}/kilde seal", "--kubeconfig", str(stage.kubeconfig)]
        command += ["--kubectl", f"{BIN}/kubectl --kubeconfig {stage.kubeconfig}"]
        done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        stage.stop()
