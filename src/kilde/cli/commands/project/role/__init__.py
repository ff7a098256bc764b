"""`kilde project role`: roles of an AppProject. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.project.role"


@click.group(
    cls=LazyGroup,
    modules={"list": f"{_HERE}.listing", "can": f"{_HERE}.can", "token": f"{_HERE}.token"},
    epilog="Example: kilde project role can team ci sync shop --data-dir state",
    short_help="Roles, what they may do, and their tokens.",
)
def command() -> None:
    """Roles as the AppProject has them (spec.roles): policies in Argo CD's words, groups, and tokens for programs."""
