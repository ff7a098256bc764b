"""Exit codes, and what is said when something goes wrong."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.command_line import Kilde, Said
from kilde import __version__
from kilde.cli import main
from kilde.core.basics.errors import InvalidYaml, KildeError, Place

PYTHON = [sys.executable, "-m", "kilde"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_the_version_is_told(kilde: Kilde) -> None:
    assert kilde("--version") == Said(0, f"kilde {__version__}\n", "")


def test_without_arguments_the_commands_are_listed_and_the_code_is_2(kilde: Kilde) -> None:
    said = kilde()

    assert said.code == 2
    assert "Makes a Kubernetes cluster the mirror of a branch" in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nonsense",), "Error: No such command 'nonsense'."),
        (("ledger", "log", "--limit", "0"), "Error: Invalid value for '--limit': 0 is not in the range x>=1."),
        (("up", "--poll", "soon"), "Error: Invalid value for '--poll': 'soon' is not a duration; write 90s, 5m or 1h"),
        (("up", "--listen", "8480"), "Error: Invalid value for '--listen': '8480' is not HOST:PORT"),
        (("up", "--context", "a"), "Error: --context needs --kubeconfig"),
        (("install",), "Error: say what to print: --crds"),
        (("cluster",), "Error: say where it keeps its state: --data-dir DIR, --name NAME, or --ephemeral"),
        (
            ("ledger", "verify", "--head", "12"),
            "Error: Invalid value for '--head': must be NUMBER:HASH, as verify prints it",
        ),
        (
            ("app", "sync", "a", "--resource", "web"),
            "Error: Invalid value for '--resource': 'web' is not GROUP:KIND:NAME, such as apps:Deployment:web or :ConfigMap:web",
        ),
        (("app", "wait", "a", "--delete", "--health"), "Error: --delete goes with no other condition"),
    ],
)
def test_a_command_used_wrongly_ends_with_2_and_says_how(
    kilde: Kilde, arguments: tuple[str, ...], complaint: str
) -> None:
    said = kilde(*arguments)

    assert (said.code, said.out, said.err.splitlines()[-1]) == (2, "", complaint)


def failing(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KildeError("it is gone", about="web"), 3, "error: web: it is gone\n"),
        (
            InvalidYaml("is a tab", hint="indent with blanks", place=Place("apps/a.yaml", 3, 1)),
            3,
            "error: apps/a.yaml:3:1: is a tab\nhint: indent with blanks\n",
        ),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
    ],
)
def test_an_expected_failure_is_one_line_and_a_hint(
    kilde: Kilde, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr(main.kilde, "get_command", lambda _context, _name: failing(error))

    assert kilde("anything") == Said(code, "", said)


def test_a_bug_is_told_as_one_with_everything_in_a_file(
    kilde: Kilde, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(main.kilde, "get_command", lambda _context, _name: failing(ZeroDivisionError("by zero")))

    said = kilde("anything")

    [file] = (tmp_path / "state-home" / "kilde").iterdir()
    assert said == Said(3, "", f"error: kilde has a bug: ZeroDivisionError\nhint: report it with the file {file}\n")
    assert "ZeroDivisionError: by zero" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [*PYTHON, "install", "--crds"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as printing:
        assert printing.stdout is not None
        printing.stdout.readline()
        printing.stdout.close()
        said = printing.stderr.read() if printing.stderr else b""

    assert (printing.returncode, said) == (0, b"")


@pytest.mark.slow
def test_the_version_costs_at_most_80_ms() -> None:
    """Of CPU time, so that other work on the machine does not decide; on an idle one that is the wall time too."""

    def cost() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*PYTHON, "--version"], check=True, capture_output=True, env=environment())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cost() for _ in range(7)) < 0.080
