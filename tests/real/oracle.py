"""Oracles: small Go programs around Kubernetes' own code, which say what it would make of a question."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_KUBERNETES = Path(__file__).with_name("kubernetes")


def compiled(source: Path, folder: Path) -> Path:
    """The program of the folder `source`, built in another one; without a module of its own it is of that of Kubernetes.

    Skips where Go or the modules are missing, which come with `make real`; where KILDE_REQUIRE_REAL=1 (as in .ci/run) fails instead.
    """
    give_up = pytest.fail if os.environ.get("KILDE_REQUIRE_REAL") == "1" else pytest.skip
    if shutil.which("go") is None:
        give_up("no Go")
    shutil.copytree(source, folder, dirs_exist_ok=True)
    if not (source / "go.mod").exists():
        for name in ("go.mod", "go.sum"):
            shutil.copy(_KUBERNETES / name, folder)
    built = subprocess.run(
        ["env", "GOFLAGS=-mod=mod", "GOPROXY=off", "go", "build", "-o", "oracle", "main.go"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    if built.returncode:
        give_up(f"the oracle cannot be built: {built.stderr[-200:]}")
    return folder / "oracle"
