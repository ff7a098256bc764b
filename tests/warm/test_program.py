"""The warm `kilde` behaves as the one that loads itself: outputs, codes, folder, variables, signals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from warm.program import warm_kilde

KUSTOMIZATION = "resources: [c.yaml]\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: é}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("build",),
        ("build", "nowhere"),
        ("nonsense",),
        ("build", ".", "--load-restrictor", "None"),
        ("ledger", "log"),
        ("check", "-"),
    ],
)
def test_both_say_the_same(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(KUSTOMIZATION)
    (tmp_path / "c.yaml").write_text(CONFIG_MAP)

    def said(program: Path) -> tuple[int, bytes, bytes]:
        env = {"HOME": str(tmp_path), "KILDE_DATA_DIR": str(tmp_path / "data"), "PATH": os.environ["PATH"]}
        done = subprocess.run([program, *words], cwd=tmp_path, env=env, capture_output=True, input=b"")
        return done.returncode, done.stdout, done.stderr

    assert said(warm_kilde()) == said(Path(sys.executable).with_name("kilde"))


def serving(folder: Path) -> "subprocess.Popen[bytes]":
    command = [warm_kilde(), "cluster", "--data-dir", folder, "--controllers", "off"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on(number: int, tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        process.send_signal(number)
        assert process.wait(30) == 0


def test_who_is_killed_runs_no_more_when_its_output_ends(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        process.kill()
        process.communicate(timeout=30)
        with serving(tmp_path) as next_one:
            next_one.terminate()
