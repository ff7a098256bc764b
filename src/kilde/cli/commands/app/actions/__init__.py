"""`kilde app actions`: what may be done to single objects of an application. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.app.actions"


@click.group(
    cls=LazyGroup,
    modules={"list": f"{_HERE}.listing", "run": f"{_HERE}.running"},
    epilog="Example: kilde app actions run web restart --kind Deployment --data-dir state",
    short_help="Restart, scale, pause … single objects.",
)
def command() -> None:
    """Actions on single objects: those that Kilde knows, and those in Lua that argocd-cm configures (resource.customizations.actions)."""
