"""`kilde migrate flux`: what would become of a Flux installation."""

import click

from kilde.cli.applications import settings
from kilde.cli.migrating.doing import Asked, move_options
from kilde.cli.target import Target


@click.command(
    epilog="Example: kilde migrate flux --kubeconfig prod.conf --out config-repo",
    short_help="What would become of a Flux installation.",
)
@move_options(
    "Flux",
    take="Suspend what moves, make its objects Kilde's and write its Applications, without pruning.",
    give="Make the objects Flux's again and resume what was suspended.",
)
def command(*, target: Target, asked: Asked) -> int:
    """Makes Applications of Flux' Kustomizations and HelmReleases, and says what differs and what somebody has to decide.

    Nothing is written to the cluster without --take-over or --hand-back; these delete nothing and restart nothing, and may be run again
    after they were cut off. Exit code 0: it can be moved as it is (with --shadow: all agree); 1: something needs a person (or differs);
    3: it could not be told or done.
    """
    if asked.shadow:
        from kilde.wiring.shadowing import run_flux_shadow

        return asked.shadowed(run_flux_shadow, settings(target))
    from kilde.wiring.migrating import hand_back_flux, plan_flux, take_over_flux

    return asked.done(settings(target), plan=plan_flux, take_over=take_over_flux, hand_back=hand_back_flux)
