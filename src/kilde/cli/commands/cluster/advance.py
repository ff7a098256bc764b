"""`kilde cluster advance`: moves a cluster's time on."""

from pathlib import Path

import click

from kilde.cli.clusters import chosen
from kilde.cli.parameters import DURATION


@click.command("advance", epilog="Example: kilde cluster advance 10m ci", short_help="Move a cluster's time on.")
@click.argument("duration", type=DURATION)
@click.argument("name", required=False)
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Of a cluster without a name: the folder it was started with."
)
def command(*, duration: float, name: str | None, data_dir: Path | None) -> None:
    """Moves the time of the cluster NAME by DURATION, and lets everything happen that is due within it, one thing after the other.

    Prints the cluster's time after it. Works with every --clock.
    """
    from kilde.kubeapi.remote import Remote

    remote = Remote(chosen(name, data_dir).kubeconfig)
    remote.advance(duration)
    click.echo(remote.object("GET", "/kilde/clock")["now"])
    remote.close()
