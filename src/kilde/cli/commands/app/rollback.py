"""`kilde app rollback`: back to an earlier revision, by a commit, so that Git stays the truth."""

import asyncio
import re

import click

from kilde.cli.applications import REFRESH, applications, at, settings, under
from kilde.cli.identity import author as identity
from kilde.cli.identity import who
from kilde.cli.printable import printable
from kilde.cli.target import Target, target_options
from kilde.core.apps.quarantine import ANNOTATION
from kilde.core.basics.errors import KildeError


@click.command(
    epilog="Example: kilde app rollback web --data-dir state --reason 'orders fail' --dry-run",
    short_help="Go back to an earlier revision, by a commit.",
)
@click.argument("name")
@target_options
@click.option(
    "--to", default="", help="An id of kilde app history, or a commit; the last other deployment if not given."
)
@click.option("--reason", default="", help="Goes into the commit's message.")
@click.option("--author", default="", metavar="'NAME <EMAIL>'", help="Of the commit; you if not given.")
@click.option(
    "--quarantine-only",
    is_flag=True,
    help="Commit nothing: keep the application at the earlier revision until a commit wants something else of it.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be committed.")
def command(
    *, name: str, target: Target, to: str, reason: str, author: str, quarantine_only: bool, dry_run: bool
) -> None:
    """Commits the files that NAME reads as they were at an earlier revision, and pushes that to its branch.

    The controller then deploys that commit as any other. Where pushing is refused, the commands to type are printed. Where nobody may
    push, --quarantine-only has the controller keep NAME at the earlier revision, and the branch's present one in quarantine.
    """
    if quarantine_only:
        click.echo(printable(asyncio.run(_quarantine(target, name, to, reason, dry_run))), nl=False)
        return
    told = asyncio.run(_rollback(target, name, to, reason, author or identity(), dry_run))
    click.echo(printable(told), nl=False)


async def _rollback(target: Target, name: str, to: str, reason: str, author: str, dry_run: bool) -> str:
    from kilde.wiring.looking import app_rollback

    if re.fullmatch(r"\d{1,6}", to):
        to = await _of_history(target, name, to)
    return await app_rollback(settings(target), name, to=to, reason=reason, author=author, by=who(), dry_run=dry_run)


async def _quarantine(target: Target, name: str, to: str, reason: str, dry_run: bool) -> str:
    from kilde.wiring.looking import app_quarantine

    if re.fullmatch(r"\d{1,6}", to):
        to = await _of_history(target, name, to)
    found = await app_quarantine(settings(target), name, to=to, reason=reason, by=who())
    told = f"{name}: {found.sentence(name)}\n"
    if dry_run:
        return f"{told}nothing was written (--dry-run)\n"
    async with applications(target) as apps:
        await apps.patch(name, {"metadata": {"annotations": {ANNOTATION: found.written(), REFRESH: "normal"}}})
    return told


async def _of_history(target: Target, name: str, number: str) -> str:
    async with applications(target) as apps:
        app = await apps.get(name)
    for entry in under(app, "status", "history") or ():
        if at(entry, "id") == number:
            several = under(entry, "revisions")
            return str(several[0]) if isinstance(several, list) and several else at(entry, "revision")
    raise KildeError(f"no deployment with id {number} in its history", about=name, hint=f"kilde app history {name}")
