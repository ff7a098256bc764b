"""`kilde app`: what is deployed. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.app"


@click.group(
    cls=LazyGroup,
    modules={
        "list": f"{_HERE}.listing",
        "get": f"{_HERE}.get",
        "resources": f"{_HERE}.resources",
        "diff": f"{_HERE}.diff",
        "sync": f"{_HERE}.sync",
        "wait": f"{_HERE}.wait",
        "terminate": f"{_HERE}.terminate",
        "deps": f"{_HERE}.deps",
        "history": f"{_HERE}.history",
        "actions": f"{_HERE}.actions",
        "approve": f"{_HERE}.approve",
        "rollback": f"{_HERE}.rollback",
        "undo": f"{_HERE}.undo",
        "delete": f"{_HERE}.delete",
    },
    epilog="Example: kilde app list --data-dir state",
    short_help="See and steer what is deployed.",
)
def command() -> None:
    """Applications: what is deployed, whether it is what Git says, and what to do about it.

    Everything goes through the cluster's API: say which with --data-dir (that of a running kilde up) or --kubeconfig.
    """
