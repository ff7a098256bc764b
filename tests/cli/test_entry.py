"""The short way of `kilde build DIR` and the long one come to the same, whatever the build comes to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: é}\ndata: {b: two}\n"
CASES = {
    "plain": "resources: [c.yaml]\nnamePrefix: p-\n",
    "empty output": "namePrefix: p-\n",
    "a warning": "resources: [c.yaml]\ncommonLabels: {a: b}\n",
    "an error": "resources: [gone.yaml]\n",
    "no kustomization": "",
}
LONG = "import sys; from kilde.cli.main import run; sys.exit(run(sys.argv[1:]))"
SHORT = "import sys; from kilde.cli.entry import main; main(); raise SystemExit('unreachable')"


def told(program: str, folder: Path, *arguments: str, **variables: str) -> tuple[int, bytes, bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=folder, env=environment, capture_output=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in CASES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "c.yaml").write_text(CONFIG_MAP, encoding="utf-8")
        if text:
            (tmp_path / name / "kustomization.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_both_ways_come_to_the_same(folder: Path, name: str) -> None:
    assert told(SHORT, folder, "build", name) == told(LONG, folder, "build", name)
    assert told(SHORT, folder / name, "build") == told(LONG, folder / name, "build")


@pytest.mark.parametrize(
    "arguments", [["build", "--help"], ["build", "nowhere"], ["build", "plain", "-o", "x.yaml"], ["--version"], []]
)
def test_anything_else_goes_the_long_way(folder: Path, arguments: list[str]) -> None:
    assert told(SHORT, folder, *arguments) == told(LONG, folder, *arguments)


def test_the_environment_counts_on_both_ways(folder: Path) -> None:
    labelled = told(SHORT, folder, "build", "plain", KUSTOMIZE_ENABLE_MANAGEDBY_LABEL="on")
    assert labelled == told(LONG, folder, "build", "plain", KUSTOMIZE_ENABLE_MANAGEDBY_LABEL="on")
    assert b"managed-by" in labelled[1]


def test_the_short_way_loads_no_command_line(folder: Path) -> None:
    code, _, err = told(SHORT, folder, "build", "plain", PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in err.decode().splitlines()}
    assert (code, loaded & {"click", "inspect", "dataclasses", "pathlib", "hashlib", "msgspec"}) == (0, set())
    assert "kilde.core.render.kustomize.accumulate" in loaded


def test_a_look_at_the_cluster_loads_no_engine_and_no_log(tmp_path: Path) -> None:
    nowhere = {"PYTHONPROFILEIMPORTTIME": "1", "KUBECONFIG": str(tmp_path / "none")}
    code, _, err = told(LONG, tmp_path, "app", "list", **nowhere)
    loaded = {line.rpartition("|")[2].strip() for line in err.decode().splitlines()}
    heavy = {"structlog", "rich", "kilde.engine", "kilde.core.apps.application", "kilde.core.objects.defaults"}
    assert (code, loaded & heavy) == (3, set())
    assert "kilde.adapters.cluster.client" in loaded


def test_a_full_disk_is_told(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", SHORT, "build", "plain"],
            cwd=folder,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert (done.returncode, done.stderr) == (1, b"Error: write standard output: No space left on device\n")


def test_a_reader_that_has_seen_enough_is_no_error(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SHORT, "build", "plain"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None  # noqa: PT018
        process.stdout.close()
        assert (process.stderr.read(), process.wait(20)) == (b"", 0)
