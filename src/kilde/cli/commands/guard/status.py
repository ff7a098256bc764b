"""`kilde guard status`: whether there is a guard, what it keeps, and which windows are open."""

import asyncio

import click

from kilde.cli import guarding
from kilde.cli import output as out
from kilde.cli.target import Target, target_options

NOT_INSTALLED = 1


@click.command(epilog="Example: kilde guard status --data-dir state", short_help="What is guarded, and what is open.")
@target_options
@out.output_option
def command(*, target: Target, output: str) -> int:
    """Shows what is guarded and by what, and the windows that are open. Exit code 1: there is no guard, or a part of it is missing."""
    found = asyncio.run(_status(target))
    if output:
        out.data(found, output)
        return 0 if found["complete"] else NOT_INSTALLED
    if not found["installed"]:
        click.echo("not installed: people write as RBAC lets them (kilde guard install)")
        return NOT_INSTALLED
    for problem in found["missing"]:
        click.echo(f"{click.style('missing', fg='red')} {problem}: kilde guard install puts it back")
    rows = [
        (one["namespace"] or "(of the cluster)", str(one["objects"]), "whole" if one["whole"] else "owned")
        for one in found["namespaces"]
    ]
    out.table(("NAMESPACE", "OBJECTS", "REFUSED"), rows)
    if found["windows"]:
        click.echo()
        headings = ("WINDOW", "UNTIL", "APPLICATIONS", "BY", "REASON")
        out.table(headings, [tuple(one[key.lower()] for key in headings) for one in found["windows"]])
    return 0 if found["complete"] else NOT_INSTALLED


async def _status(target: Target) -> guarding.Status:
    async with guarding.cluster_of(target) as cluster:
        return await guarding.status(cluster, target.namespace)
