"""`kilde guard uninstall`: takes the guard away; what it kept of Git goes with it."""

import asyncio

import click

from kilde.cli import guarding
from kilde.cli.target import Target, target_options


@click.command(epilog="Example: kilde guard uninstall --data-dir state", short_help="Take the guard away.")
@target_options
def command(*, target: Target) -> None:
    """Takes away the policies, bindings, access rules and settings of the guard. People may write again as RBAC lets them."""
    click.echo(f"{asyncio.run(_uninstall(target))} objects of the guard deleted")


async def _uninstall(target: Target) -> int:
    async with guarding.cluster_of(target) as cluster:
        return await guarding.uninstall(cluster, target.namespace)
