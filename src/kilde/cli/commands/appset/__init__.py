"""`kilde appset`: sets of applications. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.appset"


@click.group(
    cls=LazyGroup,
    modules={
        "list": f"{_HERE}.listing",
        "get": f"{_HERE}.get",
        "generate": f"{_HERE}.generate",
    },
    epilog="Example: kilde appset list --data-dir state",
    short_help="See ApplicationSets and what they make.",
)
def command() -> None:
    """ApplicationSets: which there are, how they are, and which Applications one would make."""
