"""`kilde cluster stop`: ends a cluster that runs."""

import os
import signal
import time

import click

from kilde.cli.clusters import Cluster, cluster_options
from kilde.core.basics.errors import KildeError

_PATIENCE = 10.0


@click.command("stop", epilog="Example: kilde cluster stop ci", short_help="End a cluster that runs.")
@cluster_options
def command(*, cluster: Cluster) -> None:
    """Ends the cluster NAME (or that of --data-dir) as SIGTERM does, and waits until it has.

    What it keeps stays, and is there when it is started again.
    """
    from kilde.kubeapi.occupied import is_held, running_in

    running = running_in(cluster.folder)
    if running is None:
        click.echo(f"{cluster.shown} does not run", err=True)
        return
    os.kill(running.pid, signal.SIGTERM)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        going = running.ephemeral and cluster.folder.exists()  # its folder is the last to go
        if not is_held(cluster.folder) and not going:
            click.echo(f"{cluster.shown} stopped")
            return
        time.sleep(0.05)
    raise KildeError(
        f"has not ended within {_PATIENCE:.0f} s", about=f"process {running.pid}", hint="look into its log"
    )
