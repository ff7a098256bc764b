"""`kilde doctor`: whether this machine, its disk, the cluster and our own data are fit, in one table."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.commands.doctor import showing
from kilde.cli.commands.doctor.contexts import kubeconfig
from kilde.cli.commands.doctor.disk import disk
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options

if TYPE_CHECKING:
    from kilde.core.doctor.finding import Finding
    from kilde.wiring.doctoring.here import Pages

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_QUICK_SYNCS, _QUICK_SECONDS = 300, 2.0


@click.group(
    invoke_without_command=True,
    epilog="Example: kilde doctor --data-dir state",
    short_help="Whether machine, disk and cluster can bear it.",
)
@target_options
@click.option(
    "--etcd-metrics",
    metavar="URL",
    default="",
    help="Where etcd serves its metrics, such as http://127.0.0.1:2381/metrics.",
)
@click.option("--etcd-ca", type=_FILE, help="PEM file of the CA of etcd's certificate.")
@click.option("--etcd-cert", type=_FILE, help="PEM file of a client certificate for etcd.")
@click.option("--etcd-key", type=_FILE, help="PEM file of its key.")
@click.option(
    "--over", type=DURATION, default="0s", help="Judge etcd by what happens within this time, not since its start."
)
@click.option(
    "--controller",
    metavar="URL",
    default="",
    help="A running kilde up, such as http://127.0.0.1:8480: its share of the load.",
)
@click.option(
    "--backups",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder of backups: how old is the newest snapshot of the cluster, export of the ledger and copy of the keys?",
)
@click.option("--watch", type=DURATION, default="0s", help="Look again and again, with this pause, until interrupted.")
@showing.output_option
@click.pass_context
def command(
    context: click.Context,
    *,
    target: Target,
    etcd_metrics: str,
    etcd_ca: Path | None,
    etcd_cert: Path | None,
    etcd_key: Path | None,
    over: float,
    controller: str,
    backups: Path | None,
    watch: float,
    output: str,
) -> int:
    """Looks at this machine, the disk under the data directory, the API server, Git, webhooks, orphaned objects, the ledger and keys.

    etcd and a running controller are looked at where they are named. Nothing is changed, on the cluster or here.
    Exit code 0: nothing is bad; 1: something is.
    """
    if context.invoked_subcommand is not None:
        return 0
    from kilde.wiring.doctoring.here import Pages

    pages = Pages(
        etcd=etcd_metrics, etcd_ca=etcd_ca, etcd_certificate=etcd_cert, etcd_key=etcd_key, controller=controller
    )
    while True:
        findings = _look(target, pages, over, backups)
        if watch and not output:
            click.clear()
            click.echo(time.strftime("%Y-%m-%d %H:%M:%S"))
        showing.show(findings, output)
        if not watch:
            return showing.exit_code(findings)
        time.sleep(watch)


def _look(target: Target, pages: "Pages", over: float, backups: Path | None) -> "list[Finding]":
    from kilde.core.basics.errors import KildeError
    from kilde.core.doctor.finding import Finding, Verdict
    from kilde.wiring.doctoring import data, here
    from kilde.wiring.doctoring.cluster import look_at_cluster

    async def all_of_it() -> list[Finding]:
        found = await here.look_at_machine()
        if target.data_dir.is_dir():
            try:
                found.append(here.look_at_disk(target.data_dir, syncs=_QUICK_SYNCS, seconds=_QUICK_SECONDS)[0])
            except KildeError as error:
                found.append(Finding(area="disk", check="fsync", verdict=Verdict.UNKNOWN, says=str(error)))
            found += data.look_at_data(target.data_dir)
        place = {"context": target.context, "namespace": target.namespace}
        looked = await look_at_cluster(target.kubeconfig, **place, data_dir=target.data_dir)
        found += looked.findings
        found += data.look_at_backups(backups, target.data_dir, newest_key=looked.newest_key)
        if pages.etcd:
            found += await _or_unknown("etcd", here.look_at_etcd(pages, over=over))
        if pages.controller:
            found += await _or_unknown("kilde", here.look_at_controller(pages.controller))
        return found

    return asyncio.run(all_of_it())


async def _or_unknown(area: str, looking: "Awaitable[list[Finding]]") -> "list[Finding]":
    from kilde.core.basics.errors import KildeError
    from kilde.core.doctor.finding import Finding, Verdict

    try:
        return await looking
    except KildeError as error:
        return [Finding(area=area, check="metrics", verdict=Verdict.UNKNOWN, says=str(error), hint=error.hint)]


command.add_command(disk)
command.add_command(kubeconfig)
