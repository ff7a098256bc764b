"""Every recorded case of the real Sealed Secrets controller, replayed against ours on the embedded cluster."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.stage import BIN, Stage, free_port

CASES = Path("conformance/sealed-secrets")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def names(shared: Path, *kinds: str) -> str:
    """A pattern of the cases of these kinds."""
    cases = json.loads((shared / CASES / "cases.json").read_text())
    return f"^({'|'.join(re.escape(case['name']) for case in cases if case['kind'] in kinds)})$"


@pytest.mark.parametrize("kinds", [("http",), ("scenario",), ("open",), ("seal",)], ids=lambda kinds: kinds[0])
def test_every_recorded_case_of_the_controller(shared: Path, tmp_path: Path, kinds: tuple[str, ...]) -> None:
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
        stage.kubectl("apply", "-f", str(shared / CASES / "keys/key-secrets.json"))
        made = stage.kubectl("get", "secret", "-n", "kube-system", "-l", label, "-o", "name").split()
        stage.kubectl("delete", "-n", "kube-system", *[name for name in made if "-test-" not in name])
        stage.until(lambda: current in stage.log(), "the keys of the cases")
        command = [sys.executable, str(shared / CASES / "replay.py"), "--only", names(shared, *kinds)]
        if kinds == ("http",):
            command += ["--http", f"http://{address}"]
        else:
            command += ["--kubectl", f"{BIN}/kubectl --kubeconfig {stage.kubeconfig}"]
        if kinds == ("seal",):
            command += ["--seal-cmd", f"{BIN}/kilde seal", "--kubeconfig", str(stage.kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        stage.stop()
