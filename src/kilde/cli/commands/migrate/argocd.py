"""`kilde migrate argocd`: what would become of an Argo CD installation."""

import asyncio
from pathlib import Path

import click

from kilde.cli.applications import settings
from kilde.cli.migrating.plan import plan_options, present
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options

DIFFERS = 1


@click.command(
    epilog="Example: kilde migrate argocd --kubeconfig prod.conf --out config-repo",
    short_help="What would become of an Argo CD installation.",
)
@target_options
@plan_options
@click.option(
    "--shadow", is_flag=True, help="Work everything out beside Argo CD for a while, and compare; nothing is written."
)
@click.option(
    "--for",
    "seconds",
    type=DURATION,
    default="10m",
    show_default=True,
    help="How long the shadow lasts; each application is compared once at least.",
)
@click.option(
    "--raw-secrets",
    "raw",
    type=click.Choice(["refuse", "allow"]),
    default="refuse",
    show_default=True,
    help="Of the shadow, as kilde up would be told.",
)
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
    if shadow + take + give > 1 or (out is not None and (shadow or take or give)):
        raise click.UsageError("--shadow, --take-over, --hand-back and --out are one at a time")
    if accept and not take:
        raise click.UsageError("--accept goes with --take-over")
    if shadow:
        return _shadow(target, output, seconds, raw)
    if take or give:
        return _move(target, take=take, accept=accept)
    from kilde.wiring.migrating import plan_move

    return present(asyncio.run(plan_move(settings(target))), output, out)


def _shadow(target: Target, output: str, seconds: float, raw: str) -> int:
    from kilde.cli.migrating.shadow import show
    from kilde.cli.serving import begin_log
    from kilde.wiring.shadowing import run_shadow

    begin_log(verbose=False)
    seen = asyncio.run(run_shadow(settings(target), seconds=seconds, raw_secrets=raw == "allow"))
    show(seen, output)
    return 0 if seen.agrees else DIFFERS


def _move(target: Target, *, take: bool, accept: bool) -> int:
    from kilde.cli.printable import printable
    from kilde.wiring.migrating import hand_back, take_over

    def tell(text: str) -> None:
        click.echo(printable(text))

    if take:
        asyncio.run(take_over(settings(target), tell, accept=accept))
    else:
        asyncio.run(hand_back(settings(target), tell))
    return 0
