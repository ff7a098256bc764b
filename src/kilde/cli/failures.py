"""Failures on the command line: one line and a hint for what is expected, a file with everything for what is not."""

import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from kilde import __version__
from kilde.cli.printable import printable
from kilde.core.basics.errors import KildeError

if TYPE_CHECKING:
    from pathlib import Path


def tell_error(error: KildeError) -> None:
    """`error: place: about: what`, and the hint on a line of its own."""
    where = ": ".join(part for part in (str(error.place) if error.place else "", error.about) if part)
    click.echo(
        f"{click.style('error', fg='red')}: {printable(f'{where}: ' if where else '')}{printable(error.what)}", err=True
    )
    if error.hint:
        click.echo(f"{click.style('hint', fg='cyan')}: {printable(error.hint)}", err=True)


def tell_crash(error: Exception, arguments: Sequence[str]) -> None:
    """Says that this is our fault, and where the traceback is."""
    kind = type(error).__name__
    file = _write_down(error, arguments)
    click.echo(f"{click.style('error', fg='red')}: kilde has a bug: {kind}", err=True)
    if file is not None:
        click.echo(f"{click.style('hint', fg='cyan')}: report it with the file {file}", err=True)


def _write_down(error: Exception, arguments: Sequence[str]) -> "Path | None":
    import platform
    import tempfile
    import traceback
    from pathlib import Path

    said = (
        f"kilde {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n"
        f"arguments: {' '.join(arguments)}\n\n"
        f"{''.join(traceback.format_exception(error))}"
    )
    for folder in (state_folder(), Path(tempfile.gettempdir())):
        file = folder / f"kilde-crash-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.log"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(said)
        except OSError:
            continue
        return file
    sys.stderr.write(said)
    return None


def state_folder() -> "Path":
    """Where state goes when nobody names a folder: $XDG_STATE_HOME/kilde, or ~/.local/state/kilde."""
    from pathlib import Path

    named = os.environ.get("XDG_STATE_HOME", "")
    return (Path(named) if named.startswith("/") else Path.home() / ".local" / "state") / "kilde"
