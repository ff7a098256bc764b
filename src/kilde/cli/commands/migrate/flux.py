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
@click.option(
    "--take-over",
    "take",
    is_flag=True,
    help="Suspend what moves, make its objects Kilde's and write its Applications, without pruning.",
)
@click.option("--accept", is_flag=True, help="Take over although the plan says that something needs a person.")
@click.option("--hand-back", "give", is_flag=True, help="Make the objects Flux's again and resume what was suspended.")
def command(*, target: Target, out: Path | None, output: str, take: bool, accept: bool, give: bool) -> int:
    """Makes Applications of Flux' Kustomizations and HelmReleases, and says what differs and what somebody has to decide.

    Nothing is written to the cluster without --take-over or --hand-back; these delete nothing and restart nothing, and may be run again
    after they were cut off. Exit code 0: it can be moved as it is; 1: something needs a person; 3: it could not be told or done.
    """
    if take + give > 1 or (out is not None and (take or give)):
        raise click.UsageError("--take-over, --hand-back and --out are one at a time")
    if accept and not take:
        raise click.UsageError("--accept goes with --take-over")
    if take or give:
        return _move(target, take=take, accept=accept)
    from kilde.wiring.migrating import plan_flux

    return present(asyncio.run(plan_flux(settings(target))), output, out)


def _move(target: Target, *, take: bool, accept: bool) -> int:
    from kilde.cli.printable import printable
    from kilde.wiring.migrating import hand_back_flux, take_over_flux

    def tell(text: str) -> None:
        click.echo(printable(text))

    if take:
        asyncio.run(take_over_flux(settings(target), tell, accept=accept))
    else:
        asyncio.run(hand_back_flux(settings(target), tell))
    return 0
