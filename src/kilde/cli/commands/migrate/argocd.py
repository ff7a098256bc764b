"""`kilde migrate argocd`: what would become of an Argo CD installation."""

import asyncio
from pathlib import Path

import click

from kilde.cli.applications import settings
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options

NEEDS_PERSON = DIFFERS = 1


@click.command(
    epilog="Example: kilde migrate argocd --kubeconfig prod.conf --out config-repo",
    short_help="What would become of an Argo CD installation.",
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
def command(*, target: Target, out: Path | None, output: str, shadow: bool, seconds: float, raw: str) -> int:
    """Reads the Argo CD of --namespace and says what goes on unchanged, what differs, and what somebody has to decide.

    Nothing is written to the cluster. Exit code 0: it can be moved as it is (with --shadow: all agree); 1: something needs a person (or
    differs); 3: it could not be told.
    """
    if shadow:
        if out is not None:
            raise click.UsageError("--out does not go with --shadow")
        return _shadow(target, output, seconds, raw)
    from kilde.cli.migrating.show import show
    from kilde.wiring.migrating import plan_move, write_files

    moved = asyncio.run(plan_move(settings(target)))
    show(moved.move, output)
    if out is not None:
        write_files(out, moved.files)
        click.echo(f"{len(moved.files)} manifest{'' if len(moved.files) == 1 else 's'} written into {out}", err=True)
    return NEEDS_PERSON if moved.move.needs_person else 0


def _shadow(target: Target, output: str, seconds: float, raw: str) -> int:
    from kilde.cli.migrating.shadow import show
    from kilde.cli.serving import begin_log
    from kilde.wiring.shadowing import run_shadow

    begin_log(verbose=False)
    seen = asyncio.run(run_shadow(settings(target), seconds=seconds, raw_secrets=raw == "allow"))
    show(seen, output)
    return 0 if seen.agrees else DIFFERS
