"""`kilde guard close`: ends windows before their time."""

import asyncio

import click

from kilde.cli import guarding
from kilde.cli.target import Target, target_options


@click.command(epilog="Example: kilde guard close --data-dir state", short_help="Shut the guard before its time.")
@click.argument("names", nargs=-1, metavar="[WINDOW]...")
@target_options
def command(*, names: tuple[str, ...], target: Target) -> None:
    """Ends the named windows (kilde guard status shows them), or all. What was changed by hand is put back then."""
    for name in asyncio.run(_close(target, names)):
        click.echo(f"{name} closed")


async def _close(target: Target, names: tuple[str, ...]) -> list[str]:
    async with guarding.cluster_of(target) as cluster:
        return await guarding.close_windows(cluster, target.namespace, names)
