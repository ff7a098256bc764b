"""The manual pages on syncs do what they say: their console blocks are run, page after page on one cluster, and outputs compared.

On a real control plane they say the same: nobody needs to be told another story than that of the cluster in the box.
"""

import contextlib
import queue
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from docs.console import play, steps, terminal
from e2e.kubelet import Kubelet
from e2e.stage import BIN
from real.control_plane import control_plane
from warm.program import warm_kilde

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("syncing.md", "hooks.md", "automation.md", "pruning.md", "differences.md", "options.md")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


@contextlib.contextmanager
def real_cluster(folder: Path, config: Path) -> Iterator[None]:
    """A control plane as a person prepares one for Kilde, whose pods run and end; its kubeconfig lies where that of the box would."""
    with control_plane(folder) as plane:
        printed = subprocess.run([str(warm_kilde()), "install", "--crds"], check=True, capture_output=True)
        kubectl = [str(BIN / "kubectl"), "--kubeconfig", str(plane.kubeconfig)]
        subprocess.run([*kubectl, "apply", "-f", "-"], input=printed.stdout, check=True, capture_output=True)
        subprocess.run([*kubectl, "create", "namespace", "argocd"], check=True, capture_output=True)
        config.parent.mkdir(parents=True)
        shutil.copy(plane.kubeconfig, config)
        with Kubelet(plane.kubeconfig, "", random.Random(1), 0.2, queue.Queue()):
            yield


@pytest.mark.parametrize("cluster", ["embedded", pytest.param("real", marks=pytest.mark.live)])
def test_the_pages_on_syncs_happen_as_they_are_told(
    cluster: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(terminal(tmp_path))
        folder = tmp_path / "try-kilde"
        if cluster == "real":
            request.getfixturevalue("real_programs")
            stack.enter_context(real_cluster(tmp_path / "plane", folder / "state/kubeconfig"))
        for page in PAGES:
            text = (DOCS / page).read_text()
            story = steps(text, own_cluster=False)
            assert len(story) > 10, page
            one.save(text)
            if cluster == "real":
                story = [
                    replace(step, command=f"{step.command} --kubeconfig state/kubeconfig")
                    if step.in_background
                    else step
                    for step in story
                ]
            play(one, story)
