"""`kilde migrate flux`: what would become of a Flux installation."""

import asyncio
from pathlib import Path

import click

from kilde.cli.applications import settings
from kilde.cli.target import Target, target_options

NEEDS_PERSON = 1


@click.command(
    epilog="Example: kilde migrate flux --kubeconfig prod.conf --out config-repo",
    short_help="What would become of a Flux installation.",
)
@target_options
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the manifests for the config repository into this folder.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For a terminal, a pull request's comment, a program.",
)
def command(*, target: Target, out: Path | None, output: str) -> int:
    """Makes Applications of Flux' Kustomizations and HelmReleases, and says what differs and what somebody has to decide.

    Nothing is written to the cluster. Exit code 0: it can be moved as it is; 1: something needs a person; 3: it could not be told.
    """
    from kilde.cli.migrating.show import show
    from kilde.wiring.migrating import plan_flux, write_files

    moved = asyncio.run(plan_flux(settings(target)))
    show(moved.move, output)
    if out is not None:
        write_files(out, moved.files)
        click.echo(f"{len(moved.files)} manifest{'' if len(moved.files) == 1 else 's'} written into {out}", err=True)
    return NEEDS_PERSON if moved.move.needs_person else 0
