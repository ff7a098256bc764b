"""`kilde cluster kubeconfig`: the kubeconfig of a cluster, or where it is."""

import click

from kilde.cli.clusters import Cluster, cluster_options
from kilde.core.basics.errors import KildeError


@click.command(
    "kubeconfig",
    epilog='Example: kilde cluster kubeconfig ci --path  # export KUBECONFIG="$(…)"',
    short_help="Print a cluster's kubeconfig.",
)
@cluster_options
@click.option("--path", is_flag=True, help="Print where the file is, not what is in it.")
def command(*, cluster: Cluster, path: bool) -> None:
    """Prints the administrator's kubeconfig of the cluster NAME (or that of --data-dir)."""
    if not cluster.kubeconfig.is_file():
        raise KildeError("has no kubeconfig: it was never ready", about=cluster.shown)
    click.echo(cluster.kubeconfig if path else cluster.kubeconfig.read_text(), nl=path)
