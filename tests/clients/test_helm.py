"""helm 3 and 4 install, test, upgrade, roll back and uninstall a chart with hooks and a CRD, and tell a broken rollout from a good one."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from build_real import where

from clients.conftest import HERE, WIDGETS, environment
from kilde.testing.box import KildeCluster

pytestmark = pytest.mark.slow
HOOKS = ["pre-install", "post-install", "pre-upgrade", "pre-rollback", "post-delete"]


class Helm:
    """One helm, one cluster, one release."""

    def __init__(self, program: Path, box: KildeCluster, home: Path) -> None:
        self._program, self._env = program, environment(box, home)

    def __call__(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [self._program, *words], env=self._env, capture_output=True, text=True, timeout=90, check=False, cwd=HERE
        )
        assert done.returncode == code, f"{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def history(self) -> list[tuple[int, str, str]]:
        found: list[dict[str, Any]] = json.loads(self("history", "shop", "-o", "json"))
        return [(one["revision"], one["status"], one["description"]) for one in found]


@pytest.fixture(params=["helm", "helm4"])
def helm(request: pytest.FixtureRequest, box: KildeCluster, tmp_path: Path) -> Helm:
    program = where(request.param)
    if not program.exists():
        pytest.skip(f"not built: {request.param} (make real)")
    return Helm(program, box, tmp_path)


def jobs(box: KildeCluster) -> set[str]:
    return {job["metadata"]["name"].removeprefix("shop-") for job in box.all("jobs", "default")}


def test_a_release_from_install_to_uninstall(helm: Helm, box: KildeCluster) -> None:
    helm("install", "shop", "chart", "--wait", "--timeout", "60s")
    assert jobs(box) == {"pre-install", "post-install"}
    assert "Phase:          Succeeded" in helm("test", "shop")
    assert box.wait_for("widget/shop")["spec"] == {"replicas": 1}

    helm("upgrade", "shop", "chart", "--set", "replicas=3,image=shop:2", "--wait", "--timeout", "60s")
    deployment = box.wait_for("deployment/shop")
    assert (
        deployment["status"]["readyReplicas"],
        deployment["spec"]["template"]["spec"]["containers"][0]["image"],
    ) == (
        3,
        "shop:2",
    )

    helm("rollback", "shop", "1", "--wait", "--timeout", "60s")
    assert box.wait_for("deployment/shop")["spec"]["replicas"] == 1
    assert helm.history() == [
        (1, "superseded", "Install complete"),
        (2, "superseded", "Upgrade complete"),
        (3, "deployed", "Rollback to 1"),
    ]

    helm("uninstall", "shop", "--wait", "--timeout", "60s")
    box.wait_for("deployment/shop", "gone")
    assert box.get("service/shop") is box.get("widget/shop") is None
    assert jobs(box) == {*HOOKS, "test"}
    assert box.get("crd/widgets.example.org") is not None


def test_a_release_that_does_not_get_ready_is_rolled_back(helm: Helm, box: KildeCluster) -> None:
    helm("install", "shop", "chart", "--wait", "--timeout", "60s")
    flag = "--rollback-on-failure" if "rollback-on-failure" in helm("upgrade", "--help") else "--atomic"

    told = helm("upgrade", "shop", "chart", "--set", "image=shop:missing", flag, "--timeout", "5s", code=1)

    assert "rolled back" in told or "rollback" in told
    assert [status for _, status, _ in helm.history()][-1] == "deployed"
    assert box.wait_for("deployment/shop")["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:1"


def test_a_dry_run_on_the_server_changes_nothing(helm: Helm, box: KildeCluster) -> None:
    box.apply(WIDGETS)  # helm maps all kinds before it asks for a dry run
    helm("install", "shop", "chart", "--dry-run=server", "--skip-crds")

    assert box.get("deployment/shop") is None
    assert helm("list", "-q") == ""
