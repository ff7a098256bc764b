"""`kilde cluster list`: the clusters that have names, and whether they run."""

import time

import click

from kilde.cli import output as out
from kilde.cli.clusters import Cluster, every
from kilde.core.basics.moment import age, rfc3339
from kilde.core.basics.values import Object


@click.command("list", epilog="Example: kilde cluster list", short_help="One line a cluster.")
@out.output_option
def command(*, output: str) -> None:
    """Lists the clusters that were started with --name."""
    found = [_facts(cluster) for cluster in every()]
    if output:
        out.data(found, output)
        return
    if not found:
        click.echo("no clusters with names; start one with: kilde cluster --name NAME", err=True)
        return
    now = time.time()
    rows = [
        (
            one["name"],
            one["state"],
            one["server"] or "-",
            age(now - one["since"]) if one["since"] else "-",
            one["folder"],
        )
        for one in found
    ]
    out.table(("NAME", "STATE", "SERVER", "AGE", "FOLDER"), rows)


def _facts(cluster: Cluster) -> Object:
    from kilde.kubeapi.occupied import running_in

    running = running_in(cluster.folder)
    facts: Object = {"name": cluster.name, "state": "Running" if running else "Stopped", "folder": str(cluster.folder)}
    facts |= {"server": running.server, "pid": running.pid} if running else {"server": "", "pid": 0}
    return facts | {"since": running.since if running else 0.0, "started": rfc3339(running.since) if running else ""}
