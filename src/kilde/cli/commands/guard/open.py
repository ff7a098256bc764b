"""`kilde guard open`: a way through the guard for a time, with a reason, in the ledger."""

import asyncio
import time

import click

from kilde.cli import guarding
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options
from kilde.core.basics.moment import rfc3339
from kilde.core.guard.windows import LONGEST


@click.command(
    epilog="Example: kilde guard open --data-dir state --reason 'orders fail, INC-42' --for 30m --app web",
    short_help="Let people through for a time, on record.",
)
@target_options
@click.option("--reason", required=True, help="Why; goes into the ledger.")
@click.option("--for", "span", type=DURATION, default="30m", show_default=True, help="For how long; 24h at most.")
@click.option("--app", "apps", multiple=True, metavar="APP", help="Only for this application; without it for all.")
def command(*, target: Target, reason: str, span: float, apps: tuple[str, ...]) -> None:
    """Opens the guard. Who, why and every object that is changed meanwhile are in the ledger.

    The applications are left as they are until the window ends: by itself, by kilde guard close, or when the controller is started
    anew. Then everything is put back as Git has it.
    """
    if not 1 <= span <= LONGEST:
        raise click.UsageError("--for must be between 1s and 24h")
    if not reason.strip():
        raise click.UsageError("--reason must not be empty")
    until = rfc3339(time.time() + span)
    name = asyncio.run(_open(target, reason.strip(), until, apps))
    which = ", ".join(apps) if apps else "all applications"
    click.echo(f"{name} is open until {until} for {which}; kilde guard close shuts it")


async def _open(target: Target, reason: str, until: str, apps: tuple[str, ...]) -> str:
    async with guarding.cluster_of(target) as cluster:
        return await guarding.open_window(cluster, target.namespace, reason=reason, until=until, applications=apps)
