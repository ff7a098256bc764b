"""`kilde plan`: everything that a commit would do, before it does."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from kilde.cli.applications import settings
from kilde.cli.budget_options import deletion_budget_option, fleet_budget_option
from kilde.cli.target import Target, others_option, target_options
from kilde.core.plan.budget import Budget, FleetBudget

CHANGES, COULD_NOT = 1, 3


@click.command(
    epilog="Example: kilde plan --all --head my-change --base main -o markdown --data-dir state",
    short_help="What a commit would do to every application.",
)
@click.argument("names", metavar="[APP]...", nargs=-1)
@target_options
@click.option(
    "--all", "everything", is_flag=True, help="Every Application; those that the commit leaves alone are not rendered."
)
@click.option("--revision", default="", help="A commit, branch or tag instead of the Applications' own.")
@click.option("--head", default="", metavar="BRANCH", help="The branch that would be merged, or a commit.")
@click.option("--base", default="", metavar="BRANCH", help="The branch that it would be merged into.")
@click.option("--prune", is_flag=True, help="As a sync with --prune: delete what is no longer in Git.")
@click.option(
    "--server-dry-run", "dry_run", is_flag=True, help="Ask the API server and its admission about each write."
)
@click.option("--check-images", is_flag=True, help="Ask the registries whether they have the images that are new.")
@click.option(
    "--registry-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --check-images: who we are to registries, as docker login writes it.",
)
@click.option(
    "--plain-registry",
    "plain",
    multiple=True,
    metavar="HOST",
    help="A registry that is asked without TLS; may be repeated.",
)
@others_option("Where else Applications may be, as the controller was told")
@deletion_budget_option("What the controller was started with.")
@fleet_budget_option("What the controller was started with.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "markdown", "json", "html"]),
    default="text",
    show_default=True,
    help="For a terminal, a pull request's comment, a program, a browser.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan, signed, for kilde apply.",
)
def command(
    *,
    names: tuple[str, ...],
    everything: bool,
    target: Target,
    check_images: bool,
    registry_config: Path | None,
    plain: tuple[str, ...],
    application_namespaces: str,
    deletion_budget: Budget,
    fleet_budget: FleetBudget,
    output: str,
    out: Path | None,
    **asked: Any,
) -> int:
    """Renders the APPs (or all) on both sides of a change, compares them with the live cluster, and prints what a sync would do.

    Nothing is written. Without --revision, --head and --base: what a sync would do now. Exit code 0: nothing; 1: changes;
    3: it could not be told of at least one application.
    """
    _check(names, everything=everything, **asked)
    from kilde.engine.preview.sides import Asked
    from kilde.wiring.planning import Judging, make_plan

    if (registry_config or plain) and not check_images:
        raise click.UsageError("--registry-config and --plain-registry go with --check-images")
    judging = Judging(
        budget=deletion_budget,
        fleet_budget=fleet_budget,
        images=check_images,
        auths=registry_config,
        plain=plain,
    )
    look = replace(settings(target), application_namespaces=application_namespaces)
    preview = asyncio.run(make_plan(look, Asked(names=names, **asked), progress(), judging))
    _print(preview, output)
    if out is not None:
        _save(preview, out, target.data_dir)
    if preview.failed:
        return COULD_NOT
    return CHANGES if preview.changed else 0


def _check(names: tuple[str, ...], *, everything: bool, revision: str, head: str, base: str, **_: Any) -> None:
    if bool(names) == everything:
        raise click.UsageError("name Applications, or all of them with --all")
    if bool(head) != bool(base):
        raise click.UsageError("--head and --base go together")
    if revision and head:
        raise click.UsageError("--revision does not go with --head and --base")


def _print(preview: Any, output: str) -> None:
    if output == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(preview), indent=2).decode())
    elif output == "markdown":
        from kilde.cli.planning.markdown import markdown

        click.echo(markdown(preview), nl=False)
    elif output == "html":
        from kilde.cli.planning.page import page

        click.echo(page(preview), nl=False)
    else:
        from kilde.cli.planning.text import show

        show(preview)


def _save(preview: Any, out: Path, data_dir: Path) -> None:
    """Writes the file whole or not at all; a plan that leaves out what nobody could tell is not saved."""
    from kilde.core.preview.saved import saved
    from kilde.wiring.planning import signing_key, written

    if preview.failed:
        click.echo(f"{out} is not written: the plan is not whole", err=True)
        return
    key, sign = signing_key(data_dir)
    written(out, saved(preview, key, sign).encode())
    click.echo(f"saved as {out}, signed by {key}\ncarry it out with: kilde apply {out}", err=True)


def progress() -> Any:
    """Says on standard error how far it is, a line for each hundred; to a terminal, one line that moves."""
    person = sys.stderr.isatty()

    def tell(done: int, of: int, name: str) -> None:
        if of < 20:
            return
        if person:
            click.echo(f"\r{done}/{of} {name[:40]:<40}" + ("\n" if done == of else ""), err=True, nl=False)
        elif done % 100 == 0 or done == of:
            click.echo(f"{done}/{of} applications looked at", err=True)

    return tell
