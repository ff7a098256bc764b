"""`kilde project`: AppProjects. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.project"


@click.group(
    cls=LazyGroup,
    modules={"role": f"{_HERE}.role"},
    epilog="Example: kilde project role list team --data-dir state",
    short_help="What a project's roles and tokens may do.",
)
def command() -> None:
    """AppProjects: their roles, and the tokens of those.

    Everything goes through the cluster's API: say which with --data-dir (that of a running kilde up) or --kubeconfig.
    """
