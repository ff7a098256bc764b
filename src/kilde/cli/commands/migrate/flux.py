"""`kilde migrate flux`: what would become of a Flux installation."""

import asyncio
from pathlib import Path

import click

from kilde.cli.applications import settings
from kilde.cli.migrating.plan import plan_options, present
from kilde.cli.target import Target, target_options


@click.command(
    epilog="Example: kilde migrate flux --kubeconfig prod.conf --out config-repo",
    short_help="What would become of a Flux installation.",
)
@target_options
@plan_options
def command(*, target: Target, out: Path | None, output: str) -> int:
    """Makes Applications of Flux' Kustomizations and HelmReleases, and says what differs and what somebody has to decide.

    Nothing is written to the cluster. Exit code 0: it can be moved as it is; 1: something needs a person; 3: it could not be told.
    """
    from kilde.wiring.migrating import plan_flux

    return present(asyncio.run(plan_flux(settings(target))), output, out)
