"""`kilde migrate argocd`: what would become of an Argo CD installation."""

import click

from kilde.cli.applications import settings
from kilde.cli.migrating.doing import Asked, move_options
from kilde.cli.target import Target


@click.command(
    epilog="Example: kilde migrate argocd --kubeconfig prod.conf --out config-repo",
    short_help="What would become of an Argo CD installation.",
)
@move_options(
    "Argo CD",
    take="Stop Argo CD's controllers and make its objects Kilde's.",
    give="Make the objects Argo CD's again and start its controllers.",
)
def command(*, target: Target, asked: Asked) -> int:
    """Reads the Argo CD of --namespace and says what goes on unchanged, what differs, and what somebody has to decide.

    Nothing is written to the cluster without --take-over or --hand-back; these delete nothing and restart nothing, and may be run again
    after they were cut off. Exit code 0: it can be moved as it is (with --shadow: all agree); 1: something needs a person (or differs);
    3: it could not be told or done.
    """
    if asked.shadow:
        from kilde.wiring.shadowing import run_shadow

        return asked.shadowed(run_shadow, settings(target))
    from kilde.wiring.migrating import hand_back, plan_move, take_over

    return asked.done(settings(target), plan=plan_move, take_over=take_over, hand_back=hand_back)
