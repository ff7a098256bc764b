"""`kilde migrate`: moving in from another controller, and out again. One file a controller."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.migrate"


@click.group(
    cls=LazyGroup,
    modules={"argocd": f"{_HERE}.argocd", "flux": f"{_HERE}.flux"},
    epilog="Example: kilde migrate argocd --kubeconfig prod.conf",
    short_help="Move in from Argo CD or Flux, and out again.",
)
def command() -> None:
    """Shows what would become of another controller's installation, and moves it without deleting or restarting anything."""
