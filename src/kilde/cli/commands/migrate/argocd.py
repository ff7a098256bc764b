"""`kilde migrate argocd`: what would become of an Argo CD installation."""

import asyncio
from pathlib import Path

import click

from kilde.cli.applications import settings
from kilde.cli.migrating.doing import check_options, shadow_of, shadow_options, tell
from kilde.cli.migrating.plan import plan_options, present
from kilde.cli.target import Target, target_options


@click.command(
    epilog="Example: kilde migrate argocd --kubeconfig prod.conf --out config-repo",
    short_help="What would become of an Argo CD installation.",
)
@target_options
@plan_options
@shadow_options("Argo CD")
@click.option("--take-over", "take", is_flag=True, help="Stop Argo CD's controllers and make its objects Kilde's.")
@click.option("--accept", is_flag=True, help="Take over although the plan says that something needs a person.")
@click.option("--hand-back", "give", is_flag=True, help="Make the objects Argo CD's again and start its controllers.")
def command(
    *,
    target: Target,
    out: Path | None,
    output: str,
    shadow: bool,
    seconds: float,
    raw: str,
    take: bool,
    accept: bool,
    give: bool,
) -> int:
    """Reads the Argo CD of --namespace and says what goes on unchanged, what differs, and what somebody has to decide.

    Nothing is written to the cluster without --take-over or --hand-back; these delete nothing and restart nothing, and may be run again
    after they were cut off. Exit code 0: it can be moved as it is (with --shadow: all agree); 1: something needs a person (or differs);
    3: it could not be told or done.
    """
    check_options(out=out, shadow=shadow, take=take, accept=accept, give=give)
    from kilde.wiring.migrating import hand_back, plan_move, take_over

    if shadow:
        from kilde.wiring.shadowing import run_shadow

        return shadow_of(lambda: run_shadow(settings(target), seconds=seconds, raw_secrets=raw == "allow"), output)
    if take:
        asyncio.run(take_over(settings(target), tell, accept=accept))
    elif give:
        asyncio.run(hand_back(settings(target), tell))
    else:
        return present(asyncio.run(plan_move(settings(target))), output, out)
    return 0
