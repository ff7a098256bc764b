"""`kilde app resources`: the objects of an application, and those in its namespace that are nobody's."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.applications import applications, at, name_of, settings, under
from kilde.cli.target import Target, target_options

_HEADINGS = ("GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED")


@click.command(
    epilog="Example: kilde app resources web --data-dir state --orphaned", short_help="Its objects, or those of nobody."
)
@click.argument("name")
@target_options
@click.option(
    "--orphaned",
    is_flag=True,
    help="Those in its namespace that no application has, if its AppProject asks about them.",
)
@out.output_option
def command(*, name: str, target: Target, orphaned: bool, output: str) -> None:
    """Lists the objects of NAME; with --orphaned those that lie in its destination namespace and are nobody's."""
    found = asyncio.run(_orphaned(target, name) if orphaned else _tracked(target, name))
    rows = [(*row, "Yes" if orphaned else "No") for row in found]
    if output:
        keys = ("group", "kind", "namespace", "name")
        out.data([{**dict(zip(keys, row, strict=True)), "orphaned": orphaned} for row in found], output)
    elif not rows:
        click.echo("no orphaned resources" if orphaned else "it has no objects", err=True)
    else:
        out.table(_HEADINGS, rows)


async def _tracked(target: Target, name: str) -> list[tuple[str, str, str, str]]:
    async with applications(target) as apps:
        app = await apps.get(name)
    listed = under(app, "status", "resources") or ()
    return [(at(one, "group"), at(one, "kind"), at(one, "namespace"), at(one, "name")) for one in listed]


async def _orphaned(target: Target, name: str) -> list[tuple[str, str, str, str]]:
    from kilde.wiring.orphans import app_orphans

    async with applications(target) as apps:
        app = await apps.get(name)
        names = [name_of(one) for one in await apps.all()]
    found = await app_orphans(settings(target), app, names)
    return [(ref.group, ref.kind, ref.namespace, ref.name) for ref in found]
