"""The API servers that faults are put in front of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.embedded import embedded_api
from real.control_plane import ControlPlane


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.live)])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The way to the server behind the proxy."""
    if request.param == "embedded":
        with embedded_api(tmp_path_factory.mktemp("embedded")) as file:
            yield file
    else:
        plane: ControlPlane = request.getfixturevalue("live_cluster")
        yield plane.kubeconfig
