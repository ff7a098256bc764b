"""`kilde guard adopt`: what was changed by hand becomes a commit."""

import asyncio
from pathlib import Path

import click

from kilde.cli.applications import settings
from kilde.cli.target import Target, target_options

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="Example: kilde guard adopt web --data-dir state --repo hello-config --reason 'INC-42'",
    short_help="Make a commit of what was changed by hand.",
)
@click.argument("app")
@target_options
@click.option("--repo", type=_PATH, default=Path(), help="The working copy; the current folder if not given.")
@click.option("--reason", default="", help="Goes into the commit's message.")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken over.")
def command(*, app: str, target: Target, repo: Path, reason: str, dry_run: bool) -> None:
    """Takes over into the files of APP what the cluster has otherwise than Git, and commits that. Nothing is pushed.

    A manifest is edited in place, its comments kept; an application with a kustomization gets a patch there. The files are rendered
    before the commit: if they do not say exactly what the cluster says nothing is written. Secrets are never taken over.
    """
    from kilde.cli.adopting import adopt
    from kilde.cli.sealing.repository import Repository
    from kilde.wiring.looking import app_drift

    repository = Repository(repo)
    body, drifts, render = asyncio.run(app_drift(settings(target), app))
    if not drifts:
        click.echo(f"{app} is as Git has it: nothing to take over")
        return
    lines = []
    for drift in drifts:
        what = "is deleted" if drift.gone else ", ".join(f"{one['op']} {one['path']}" for one in drift.operations)
        lines.append(f"{drift.ref}: {what}")
        click.echo(lines[-1])
    if dry_run:
        click.echo("nothing was written (--dry-run)")
        return
    told = "\n".join(lines)
    message = f"Take over what was changed by hand in {app}\n\n" + (f"{reason}\n\n" if reason else "") + told + "\n"
    made = adopt(repository, body, drifts, render, message)
    click.echo(f"committed as {made[:12]}; push it before the window ends")
