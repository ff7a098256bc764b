"""Commands that go on in the background: started as a process of their own, watched until they are ready."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

LOG = "log"


def start(arguments: Sequence[str], folder: Path) -> int:
    """Runs `kilde ARGUMENTS` in a session of its own, its log in the folder; its exit code if it ends before it is ready, else 0."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / LOG).touch(mode=0o600)
    with (folder / LOG).open("ab") as log:
        begun = log.tell()
        process = subprocess.Popen(  # noqa: S603 - this program, with the arguments it was given
            [sys.executable, "-P", "-m", "kilde", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    assert process.stdout is not None
    with process.stdout as told:
        if told.readline() == b"ready\n":
            _warn(_since(folder, begun))
            click.echo("ready")
            process.returncode = 0  # it goes on without us: nobody waits for it, and that is no mistake
            return 0
    code = process.wait()
    click.echo(_since(folder, begun), err=True, nl=False)
    return code


def _since(folder: Path, begun: int) -> str:
    """What the log says from there on."""
    with (folder / LOG).open("rb") as log:
        log.seek(begun)
        return log.read().decode(errors="replace")


def _warn(told: str) -> None:
    """Repeats the warnings of what has begun well."""
    for line in told.splitlines():
        if line.startswith("warning: "):
            click.echo(line, err=True)
