"""`kilde app diff` tells a person what is wrong with a commit, in the words of the condition."""

import re
import subprocess

import pytest

from adapters.git.upstream import Special
from e2e.stage import Stage, free_port
from engine.bad_commits import REFUSED_TO_DECODE, REFUSED_TO_RENDER
from warm.program import warm_kilde

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("bad"), None, "argocd", free_port())


def test_the_command_line_says_of_a_bad_commit_what_the_condition_says(embedded: Stage) -> None:
    stage = embedded
    stage.create_repository({"README.md": "bad commits\n"})
    stage.start()
    try:
        stage.application("shop", "app", "shop")
        refused = {name: (files, told) for name, (files, told, _) in REFUSED_TO_DECODE.items()}
        for name, (files, told) in {**REFUSED_TO_RENDER, **refused}.items():
            for path, content in files.items():
                put(stage, path, content)
            stage.commit({}, name)
            assert diff(stage) == (3, "", said(told)), name
            for path in files:
                (stage.work / path).unlink()
    finally:
        stage.stop()


def put(stage: Stage, name: str, content: object) -> None:
    path = stage.work / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Special):
        path.symlink_to(content.content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else str(content).encode())


def diff(stage: Stage) -> tuple[int, str, str]:
    """Exit code and both outputs."""
    command = [str(warm_kilde()), "app", "diff", "shop", "--data-dir", str(stage.data)]
    done = subprocess.run(command, env=stage.env, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def said(told: str) -> str:
    """A condition's sentence as the command line lays it out: what to do about it is on a line of its own."""
    whole = re.fullmatch(r"(.*) \(([a-z][^()]* [^()]*)\)", told)
    return f"error: {whole[1]}\nhint: {whole[2]}\n" if whole and "did you mean" not in told else f"error: {told}\n"
