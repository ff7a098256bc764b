"""The command line as tests use it: arguments in, exit code and both outputs back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_line import Kilde, Said
from kilde.cli.main import run


@pytest.fixture
def kilde(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kilde:
    """Runs one command line in this process, far from the user's own state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    for name in ("KILDE_DATA_DIR", "KILDE_LEDGER", "KILDE_WITNESSES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a running `kilde cluster --controllers off`."""
    folder = tmp_path_factory.mktemp("embedded")
    command = [sys.executable, "-m", "kilde", "cluster", "--data-dir", str(folder), "--controllers", "off"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == "ready\n"
            yield folder
        finally:
            server.terminate()
            assert server.wait(30) == 0


@pytest.fixture(scope="session", params=["embedded", pytest.param("live", marks=pytest.mark.live)])
def cluster_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose kubeconfig is that of the embedded API server, then of a real one."""
    if request.param == "embedded":
        found: Path = request.getfixturevalue("embedded")
        return found
    folder = tmp_path_factory.mktemp("live")
    shutil.copy(request.getfixturevalue("live_cluster").kubeconfig, folder / "kubeconfig")
    return folder
