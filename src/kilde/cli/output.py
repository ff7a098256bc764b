"""What commands print: tables for people, JSON and YAML for programs. Colours reach a terminal only (click takes them out)."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from kilde.cli.printable import printable

Command = TypeVar("Command", bound=Callable[..., Any])

GOOD, WAITING, BAD, DIM = "green", "yellow", "red", "bright_black"
COLOURS = {
    "Synced": GOOD,
    "Healthy": GOOD,
    "Succeeded": GOOD,
    "OutOfSync": WAITING,
    "Progressing": WAITING,
    "Running": WAITING,
    "Suspended": WAITING,
    "Missing": WAITING,
    "Terminating": WAITING,
    "Interrupted": BAD,
    "Degraded": BAD,
    "Failed": BAD,
    "Error": BAD,
    "Unknown": BAD,
}
"""How the words of sync, health and phase are shown."""


def output_option(command: Command) -> Command:
    """`-o json|yaml`; the command gets `output`, "" for people."""
    option = click.option(
        "-o",
        "--output",
        type=click.Choice(["json", "yaml"]),
        default=None,
        help="Print JSON or YAML instead of a table.",
        callback=lambda _ctx, _option, value: value or "",
    )
    return option(command)


def data(value: Any, output: str) -> None:
    """Prints a value as JSON or YAML."""
    if output == "yaml":
        from kilde.core.objects.yaml_writer import write_document

        click.echo(write_document(value), nl=False)
    else:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as kubectl's: as wide as they need, three blanks between; the last one runs on."""
    cells = [[_one_line(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(headings), *cells]) for column in range(len(headings))]
    click.echo(click.style(_aligned(headings, headings, widths), bold=True))
    for row in cells:
        click.echo(_aligned(row, [coloured(cell) for cell in row], widths))


def _aligned(plain: Sequence[str], shown: Sequence[str], widths: Sequence[int]) -> str:
    padded = [text + " " * (width - len(bare)) for bare, text, width in zip(plain, shown, widths, strict=True)]
    return "   ".join([*padded[:-1], shown[-1]]).rstrip()


def fields(pairs: Iterable[tuple[str, str]]) -> None:
    """Names and values in two columns; those without a value are left out."""
    kept = [(f"{name}:", _one_line(value)) for name, value in pairs if value]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        first, _, rest = value.partition(" ")
        click.echo(f"{name:<{width}}  {coloured(first)}{f' {rest}' if rest else ''}")


def verdict(word: str, message: str) -> None:
    """`word: message`, the word in its colour."""
    click.echo(f"{coloured(word)}: {printable(message)}")


def coloured(word: str) -> str:
    """A word of state in its colour; other words as they are."""
    colour = COLOURS.get(word)
    return click.style(word, fg=colour) if colour else word


def heading(text: str) -> None:
    """One line above what follows."""
    click.secho(_one_line(text), bold=True)


def unified(text: str) -> None:
    """A unified difference: what goes is red, what comes is green."""
    for line in printable(text).removesuffix("\n").split("\n"):
        if line.startswith(("--- ", "+++ ")):
            click.secho(line, bold=True)
        elif line.startswith("@@"):
            click.secho(line, fg="cyan")
        elif line.startswith(("-", "+")):
            click.secho(line, fg=BAD if line[0] == "-" else GOOD)
        else:
            click.echo(line)


def _one_line(cell: str) -> str:
    return printable(" ".join(cell.split()))
