"""A cluster for programs that talk to it as they talk to any other, and ways to run them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kilde.testing.box import ClusterOptions, KildeCluster

HERE = Path(__file__).parent
PATIENCE = 60.0
WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}}},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[KildeCluster]:
    cluster = KildeCluster(ClusterOptions())
    yield cluster
    cluster.stop()


def environment(box: KildeCluster, tmp_path: Path) -> dict[str, str]:
    """A home with nothing in it, and the way to the cluster."""
    return {"HOME": str(tmp_path), "KUBECONFIG": str(box.kubeconfig), "PATH": os.environ["PATH"]}


@pytest.fixture
def script(box: KildeCluster, tmp_path: Path) -> Callable[[str], list[str]]:
    """Runs a Python program of this folder to its end: the lines it prints."""

    def run(name: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, str(HERE / name)],
            env=environment(box, tmp_path),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.splitlines()

    return run


class Program:
    """A program that lasts, and what it has printed."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self._log = process, log

    @property
    def lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def says(self, line: str) -> None:
        """Waits until it has printed such a line."""
        end = time.monotonic() + PATIENCE
        while line not in self.lines:
            assert self._process.poll() is None, f"it ended: {self.lines}"
            assert time.monotonic() < end, f"no {line!r} in {self.lines}"
            time.sleep(0.05)

    def end(self) -> int:
        """Ends it as a cluster does; its exit code."""
        self._process.terminate()
        return self._process.wait(20)


@contextmanager
def running(box: KildeCluster, tmp_path: Path, *words: object, **more: str) -> Iterator[Program]:
    """A program beside the cluster, until the end of the block."""
    log = tmp_path / "program.log"
    with log.open("wb") as out, (tmp_path / "program.err").open("wb") as err:
        process = subprocess.Popen(
            [str(word) for word in words], env={**environment(box, tmp_path), **more}, stdout=out, stderr=err
        )
    try:
        yield Program(process, log)
    finally:
        process.kill()
        process.wait()
