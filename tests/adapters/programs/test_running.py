"""Programs that a build runs: bounded in time and output, ended with what they started, and never through a shell."""

import os
import time
from pathlib import Path

import pytest

from kilde.adapters.programs.running import run
from kilde.core.basics.errors import RenderFailed


def test_input_output_variables_and_folder_are_the_programs(tmp_path: Path) -> None:
    command = ["sh", "-c", "cat; echo $ONE; pwd; echo said >&2; exit 3"]
    code, output, said = run(command, folder=str(tmp_path), variables={"ONE": "1"}, stdin=b"in\n")
    assert (code, output, said) == (3, f"in\n1\n{tmp_path}\n".encode(), "said\n")


def test_no_shell_reads_the_arguments() -> None:
    assert run(["echo", "$HOME; false", "*"])[:2] == (0, b"$HOME; false *\n")


def test_much_goes_in_and_comes_out_at_once() -> None:
    text = os.urandom(1 << 20)
    assert run(["cat"], stdin=text)[:2] == (0, text)
    assert run(["true"], stdin=text)[:2] == (0, b"")


def test_what_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    command = ["sh", "-c", "(sleep 2; touch late) & sleep 60"]
    with pytest.raises(RenderFailed, match=r"sh: the program did not end within 0\.3 s"):
        run(command, folder=str(tmp_path), seconds=0.3)
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


def test_a_child_that_holds_the_output_open_does_not_hold_us_for_ever(tmp_path: Path) -> None:
    code, output, _ = run(["sh", "-c", "echo done; sleep 60 &"], folder=str(tmp_path), seconds=1.0)
    assert (code, output) == (0, b"done\n")


def test_what_prints_too_much_is_ended() -> None:
    with pytest.raises(RenderFailed, match="yes: the program printed more than 1000 bytes"):
        run(["yes"], most=1000)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["/no/such/program"], "No such file or directory"),
        (["/"], "Permission denied"),
        (["echo", "a\0b"], "embedded null byte"),
    ],
)
def test_what_cannot_start_is_told(command: list[str], what: str) -> None:
    with pytest.raises(RenderFailed, match=f"the program cannot be started: {what}"):
        run(command)
