"""`kilde app wait`: until applications are as they should be."""

import asyncio
import contextlib
import time

import click

from kilde.cli import output as out
from kilde.cli.applications import applications, at, under
from kilde.cli.commands.app.listing import health_of, row
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object

FOUND = 1
_HEADINGS = ("NAME", "PROJECT", "SYNC", "HEALTH", "REVISION", "PATH", "DESTINATION", "AGE")


@click.command(
    epilog="Example: kilde app wait web --data-dir state --health --timeout 2m",
    short_help="Wait until applications are Synced and Healthy.",
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@target_options
@click.option("--sync", is_flag=True, help="Until Synced.")
@click.option("--health", is_flag=True, help="Until Healthy.")
@click.option("--operation", is_flag=True, help="Until no operation runs.")
@click.option("--delete", is_flag=True, help="Until it is gone.")
@click.option("--timeout", type=DURATION, default="5m", show_default=True, help="How long to wait at most.")
def command(
    *, names: tuple[str, ...], target: Target, sync: bool, health: bool, operation: bool, delete: bool, timeout: float
) -> int:
    """Waits until each NAME is Synced and Healthy and no operation runs, or for what is asked for. Exit code 1 on timeout."""
    if delete and (sync or health or operation):
        raise click.UsageError("--delete goes with no other condition")
    every = not (sync or health or operation)
    wanted = {
        "gone": delete,
        "Synced": not delete and (sync or every),
        "Healthy": not delete and (health or every),
        "no operation": not delete and (operation or every),
    }
    last = asyncio.run(_wait(target, set(names), wanted, timeout))
    lacking = {name: text for name, app in last.items() if (text := unmet(app, wanted))}
    if not delete:
        rows = [row(app, now=time.time()) for app in last.values() if app is not None]
        out.table(_HEADINGS, rows)
    for name, text in sorted(lacking.items()):
        click.echo(f"{click.style('error', fg='red')}: {name}: {text} after {timeout:g} s", err=True)
    return FOUND if lacking else 0


def unmet(app: Object | None, wanted: dict[str, bool]) -> str:
    """What is still missing, as a clause; "" when nothing is."""
    if wanted["gone"]:
        return "is still there" if app is not None else ""
    if app is None:
        return "is gone"
    running = under(app, "operation") is not None or at(app, "status", "operationState", "phase") == "Running"
    sync, health = at(app, "status", "sync", "status") or "Unknown", health_of(app)
    facts = (
        ("Synced", sync == "Synced", f"sync is {sync}"),
        ("Healthy", health == "Healthy", f"health is {health}"),
        ("no operation", not running, "has an operation under way"),
    )
    return ", ".join(text for key, met, text in facts if wanted[key] and not met)


async def _wait(target: Target, names: set[str], wanted: dict[str, bool], patience: float) -> dict[str, Object | None]:
    seen: dict[str, Object | None] = {}

    def done(name: str, app: Object | None) -> bool:
        seen[name] = app
        if app is None and not wanted["gone"]:
            raise KildeError("it was deleted while it was waited for", about=name)
        return not unmet(app, wanted)

    async with applications(target) as apps:
        if not wanted["gone"]:
            for name in sorted(names):
                await apps.get(name)  # says what is wrong with the name
        with contextlib.suppress(TimeoutError):
            await apps.until(names, done, patience=patience)
    return dict(sorted(seen.items()))
