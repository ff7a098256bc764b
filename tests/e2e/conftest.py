"""The same end-to-end tests on both clusters: a difference between them is a defect of ours."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.stage import Stage, install_kinds
from real.control_plane import ControlPlane


@pytest.fixture(scope="session")
def prepared(live_cluster: ControlPlane) -> Path:
    """The kubeconfig of a real control plane with Argo CD's kinds, installed as the README says."""
    install_kinds(live_cluster.kubeconfig)
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
