"""A real API server without controllers and ours, both empty, and a namespace of the test's own on both."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from build_real import OLD_APISERVERS, where

from differential.hooks import Hook, serving
from differential.sides import Ask, Pair, ours_beside
from real.control_plane import ControlPlane, control_plane


@pytest.fixture(scope="session")
def pair(real_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both servers, one of each for the session."""
    with _beside(tmp_path_factory.mktemp("differential")) as both:
        yield both


@pytest.fixture(scope="session", params=OLD_APISERVERS)
def older_pair(
    request: pytest.FixtureRequest, real_programs: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """A kube-apiserver of an older minor and ours, which serves that minor."""
    program = f"kube-apiserver-{request.param}"
    if not where(program).exists():
        pytest.skip(f"not built: python tools/build_real.py {program} (three minutes)")
    with _beside(tmp_path_factory.mktemp(program), program, "--kubernetes-version", request.param) as both:
        yield both


@contextmanager
def _beside(folder: Path, program: str = "kube-apiserver", *more: str) -> Iterator[Pair]:
    real = control_plane(folder / "real", controllers=False, apiserver=program)
    with real as plane, ours_beside(plane, folder / "ours", "--controllers", "off", *more) as both:
        yield both


@pytest.fixture(scope="session")
def controlled(live_cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The real control plane with its controllers, and ours with its own; no scheduler, no kubelet."""
    with ours_beside(live_cluster, tmp_path_factory.mktemp("controlled"), "--controllers", "on") as both:
        yield both


@pytest.fixture
def namespace(pair: Pair) -> str:
    """A new namespace with the ServiceAccount that its pods need."""
    name = f"d{secrets.token_hex(3)}"
    account = {"metadata": {"name": "default"}}
    pair.set_up(
        Ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}}),
        Ask("POST", f"/api/v1/namespaces/{name}/serviceaccounts", account),
    )
    return name


@pytest.fixture(scope="session")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    """An https server of webhooks that both servers can ask."""
    with serving(tmp_path_factory.mktemp("hook")) as found:
        yield found


@pytest.fixture
def share() -> float:
    """How much of all variations is tried; KILDE_DIFFERENTIAL=1 tries them all, which takes an hour."""
    return float(os.environ.get("KILDE_DIFFERENTIAL", "0.004"))
