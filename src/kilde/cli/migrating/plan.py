"""What `kilde migrate` shows and writes whoever it moves in from: the options, the plan, its files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kilde.core.migrate.model import Moved

NEEDS_PERSON = 1


def plan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--out` and `--output`."""
    out = click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write the manifests for the config repository into this folder.",
    )
    output = click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "markdown", "json"]),
        default="text",
        show_default=True,
        help="For a terminal, a pull request's comment, a program.",
    )
    return out(output(command))


def present(moved: Moved, output: str, out: Path | None) -> int:
    """Shows the plan, writes its files where that is asked for, and gives the exit code."""
    from kilde.cli.migrating.show import show
    from kilde.wiring.migrating import write_files

    show(moved.move, output)
    if out is not None:
        write_files(out, moved.files)
        click.echo(f"{len(moved.files)} manifest{'' if len(moved.files) == 1 else 's'} written into {out}", err=True)
    return NEEDS_PERSON if moved.move.needs_person else 0
