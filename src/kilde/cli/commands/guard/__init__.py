"""`kilde guard`: nobody by hand. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.guard"


@click.group(
    cls=LazyGroup,
    modules={
        "install": f"{_HERE}.install",
        "uninstall": f"{_HERE}.uninstall",
        "status": f"{_HERE}.status",
        "test": f"{_HERE}.trial",
        "open": f"{_HERE}.open",
        "close": f"{_HERE}.close",
        "adopt": f"{_HERE}.adopt",
    },
    epilog="Example: kilde guard install --data-dir state && kilde guard test --data-dir state",
    short_help="Refuse writes by hand to what Git owns.",
)
def command() -> None:
    """Refuses writes by people to objects that Git owns, and opens a way through for an emergency, with a record of it."""
