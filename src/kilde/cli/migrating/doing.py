"""What every `kilde migrate` does beside its plan: the options of a shadow and of a move, and which of them exclude each other."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from kilde.cli.parameters import DURATION

DIFFERS = 1
Tell = Callable[[str], None]


def shadow_options(system: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--shadow`, `--for` and `--raw-secrets`."""
    shadow = click.option(
        "--shadow",
        is_flag=True,
        help=f"Work everything out beside {system} for a while, and compare; nothing is written.",
    )
    seconds = click.option(
        "--for",
        "seconds",
        type=DURATION,
        default="10m",
        show_default=True,
        help="How long the shadow lasts; each application is compared once at least.",
    )
    raw = click.option(
        "--raw-secrets",
        "raw",
        type=click.Choice(["refuse", "allow"]),
        default="refuse",
        show_default=True,
        help="Of the shadow, as kilde up would be told.",
    )
    return lambda command: shadow(seconds(raw(command)))


def check_options(*, out: Path | None, shadow: bool, take: bool, accept: bool, give: bool) -> None:
    """Raises UsageError where two things are asked for at once."""
    if shadow + take + give > 1 or (out is not None and (shadow or take or give)):
        raise click.UsageError("--shadow, --take-over, --hand-back and --out are one at a time")
    if accept and not take:
        raise click.UsageError("--accept goes with --take-over")


def shadow_of(run: Callable[[], Coroutine[Any, Any, Any]], output: str) -> int:
    """Runs a shadow, shows what it saw, and gives the exit code."""
    from kilde.cli.migrating.shadow import show
    from kilde.cli.serving import begin_log

    begin_log(verbose=False)
    seen = asyncio.run(run())
    show(seen, output)
    return 0 if seen.agrees else DIFFERS


def tell(text: str) -> None:
    """A sentence for each thing done."""
    from kilde.cli.printable import printable

    click.echo(printable(text))
