"""Every recorded case of the real Sealed Secrets controller, replayed against ours on the embedded cluster."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.stage import BIN, Stage, free_port
from warm.program import warm_kilde

CASES = Path("conformance/sealed-secrets")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def names(shared: Path, kind: str) -> list[str]:
    """The cases of this kind."""
    cases = json.loads((shared / CASES / "cases.json").read_text())
    return [case["name"] for case in cases if case["kind"] == kind]


@pytest.mark.parametrize("kind", ["http", "scenario", "open", "seal"])
def test_every_recorded_case_of_the_controller(shared: Path, tmp_path: Path, kind: str) -> None:
    """All cases are about one object, and most of the time goes by in waiting for it: so there are three clusters, each with its share."""
    found = names(shared, kind)
    shares = [found] if kind == "http" else [found[number::3] for number in range(3)]
    with ThreadPoolExecutor(len(shares)) as at_once:
        played = [
            at_once.submit(replay, shared, tmp_path / str(number), kind, share) for number, share in enumerate(shares)
        ]
    for one in played:
        done = one.result()
        assert done.returncode == 0, done.stdout + done.stderr


def replay(shared: Path, folder: Path, kind: str, cases: list[str]) -> subprocess.CompletedProcess[str]:
    """What became of these cases on a cluster of their own."""
    folder.mkdir()
    address = f"127.0.0.1:{free_port()}"
    stage = Stage(folder, None, "argocd")
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
        pattern = f"^({'|'.join(map(re.escape, cases))})$"
        command = [sys.executable, str(shared / CASES / "replay.py"), "--only", pattern]
        if kind == "http":
            command += ["--http", f"http://{address}"]
        else:
            command += ["--kubectl", f"{BIN}/kubectl --kubeconfig {stage.kubeconfig}"]
        if kind == "seal":
            command += ["--seal-cmd", f"{warm_kilde()} seal", "--kubeconfig", str(stage.kubeconfig)]
        return subprocess.run(command, capture_output=True, text=True)
    finally:
        stage.stop()
