"""The same end-to-end tests on both clusters: a difference between them is a defect of ours."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.stage import BIN, Stage
from real.control_plane import ControlPlane


@pytest.fixture(scope="session")
def prepared(live_cluster: ControlPlane) -> Path:
    """The kubeconfig of a real control plane with Argo CD's kinds, installed as the README says."""
    printed = subprocess.run([str(BIN / "kilde"), "install", "--crds"], check=True, capture_output=True, text=True)
    command = [str(BIN / "kubectl"), "--kubeconfig", str(live_cluster.kubeconfig), "apply", "-f", "-"]
    subprocess.run(command, input=printed.stdout, check=True, capture_output=True, text=True)
    return live_cluster.kubeconfig


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.live)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Kilde, not yet started, on one of the clusters."""
    config = request.getfixturevalue("prepared") if request.param == "real" else None
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:50].strip("-")
    made = Stage(tmp_path, config, "argocd" if config is None else f"a-{name}"[:60].rstrip("-"))
    if config is not None:
        made.kubectl("create", "namespace", made.space)
    try:
        yield made
    finally:
        made.stop()
