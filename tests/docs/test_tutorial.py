"""The tutorial does what it says, on the cluster that Kilde brings and on one of your own."""

import shutil
from pathlib import Path

import pytest

from docs.console import play, steps, terminal
from real.control_plane import control_plane

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_tutorial_happens_as_it_is_told(tmp_path: Path) -> None:
    with terminal(tmp_path) as one:
        play(one, steps(TUTORIAL.read_text(), own_cluster=False))


@pytest.mark.live
def test_the_tutorial_happens_on_a_cluster_of_your_own(tmp_path: Path, real_programs: None) -> None:
    # a control plane of its own: the tutorial makes namespaces that other tests on the session's one have made, too
    with control_plane(tmp_path / "plane") as plane, terminal(tmp_path) as one:
        shutil.copy(plane.kubeconfig, tmp_path / "home/.kube/config")
        play(one, steps(TUTORIAL.read_text(), own_cluster=True))
