"""`kilde ledger`: what was done, by whom, and the proof of it. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.ledger"


@click.group(
    cls=LazyGroup,
    modules={
        "log": f"{_HERE}.log",
        "show": f"{_HERE}.show",
        "verify": f"{_HERE}.verify",
        "export": f"{_HERE}.export",
        "checkpoint": f"{_HERE}.checkpoint",
        "rotate-key": f"{_HERE}.rotate_key",
        "erase": f"{_HERE}.erase",
        "prune": f"{_HERE}.prune",
    },
    epilog="Example: kilde ledger log --data-dir state",
    short_help="What was done, and the proof of it.",
)
def command() -> None:
    """Reads the ledger of a data directory, also while `kilde up` runs."""
