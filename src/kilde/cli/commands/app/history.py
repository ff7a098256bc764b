"""`kilde app history`: what was deployed when."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.applications import applications, at, under
from kilde.cli.target import Target, target_options
from kilde.core.basics.values import Object


@click.command(
    epilog="Example: kilde app history web --data-dir state", short_help="What was deployed when, newest first."
)
@click.argument("name")
@target_options
@out.output_option
def command(*, name: str, target: Target, output: str) -> None:
    """Lists the deployments of NAME that succeeded, newest first. Heals, failed and partial syncs are in kilde ledger log."""
    deployments = list(reversed(under(asyncio.run(_get(target, name)), "status", "history") or ()))
    if output:
        out.data(deployments, output)
    elif not deployments:
        click.echo("nothing was deployed yet", err=True)
    else:
        out.table(("ID", "DEPLOYED", "REVISION", "BY", "PATH"), (_row(one) for one in deployments))


async def _get(target: Target, name: str) -> Object:
    async with applications(target) as apps:
        return await apps.get(name)


def _row(one: Object) -> tuple[str, ...]:
    by = at(one, "initiatedBy", "username") or ("automated" if under(one, "initiatedBy", "automated") else "")
    several, revisions = under(one, "sources"), under(one, "revisions")
    sources = several if isinstance(several, list) else [under(one, "source")]
    paths = ",".join(filter(None, (at(source, "path") or at(source, "chart") for source in sources)))
    revision = ",".join(map(str, revisions)) if isinstance(revisions, list) else at(one, "revision")
    return at(one, "id"), at(one, "deployedAt"), revision, by, paths
