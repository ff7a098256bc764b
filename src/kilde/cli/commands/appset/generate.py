"""`kilde appset generate`: the Applications that a set would make, printed."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.applications import settings
from kilde.cli.sets import sets_in
from kilde.cli.target import Target, target_options
from kilde.core.basics.values import Object


@click.command(
    epilog="Example: kilde appset generate argocd-apps/teams.yaml",
    short_help="Print the Applications a set would make.",
)
@click.argument("file")
@target_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="How they are printed.",
)
def command(*, file: str, target: Target, output: str) -> None:
    """Prints the Applications that the ApplicationSets in FILE (- for standard input) would make now. Writes nothing.

    A cluster is asked only by generators that read one (clusters, plugin, tokens of forges), and for the credentials of
    repositories when --data-dir or --kubeconfig names one.
    """
    made = [body for one in sets_in(file) for body in asyncio.run(_made(target, one))]
    if output == "json":
        out.data(made, "json")
        return
    from kilde.core.objects.yaml_writer import write_documents

    click.echo(write_documents(made), nl=False)


async def _made(target: Target, one: Object) -> tuple[Object, ...]:
    from kilde.wiring.generating import generated

    return await generated(settings(target), one)
