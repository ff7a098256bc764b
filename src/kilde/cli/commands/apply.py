"""`kilde apply`: carries out a saved plan, exactly that, or refuses and says what has moved."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilde.cli.applications import Applications, applications, at, settings, under
from kilde.cli.commands.plan import progress
from kilde.cli.identity import who
from kilde.cli.parameters import DURATION
from kilde.cli.printable import printable
from kilde.cli.target import Target, target_options
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.basics.values import Object

if TYPE_CHECKING:
    from kilde.core.preview.model import AppPlan, Preview

FAILED, COULD_NOT = 1, 3


@click.command(
    epilog="Example: kilde apply plan.kilde --data-dir state", short_help="Carry out a saved plan, or refuse."
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@target_options
@click.option(
    "--key", "trusted", multiple=True, metavar="KEY", help="A verifier key to trust beside that of the data directory."
)
@click.option("--check", is_flag=True, help="Only say whether the plan still holds.")
@click.option(
    "--timeout", type=DURATION, default="5m", show_default=True, help="How long to wait for each application."
)
def command(*, file: Path, target: Target, trusted: tuple[str, ...], check: bool, timeout: float) -> int:
    """Does what FILE says, application by application, each as an operation of the running controller.

    Refuses before the first write if Git, what is rendered, or any object that the plan rests on has moved, and names it. Exit code 0:
    done; 1: an application's sync failed, and those behind it were not begun; 3: refused.
    """
    preview = _read(file, target.data_dir, trusted)
    plans = [app for app in preview.applications if app.changes and not app.follows]
    for app in preview.applications:
        if app.follows and app.changes:
            click.echo(f"not part of it: {app.name}, whose spec the sync of {app.follows} changes first", err=True)
    if not plans:
        click.echo("there is nothing to do in this plan")
        return 0
    if told := _moved(target, plans):
        return _refuse(told)
    if check:
        click.echo("the plan holds")
        return 0
    return asyncio.run(_carry_out(target, plans, timeout))


def _read(file: Path, data_dir: Path, trusted: tuple[str, ...]) -> "Preview":
    """Raises KildeError."""
    from kilde.core.ledger.checkpoint import read_key
    from kilde.core.preview.saved import LARGEST, read_saved
    from kilde.wiring.planning import known_key

    keys = [read_key(text) for text in trusted]
    own = known_key(data_dir)
    if own is not None:
        keys.append(own)
    if not keys:
        hint = "give the data directory that the plan was made with, or --key"
        raise InvalidInput("there is no key to check its signature with", about=str(file), hint=hint)
    with file.open("rb") as opened:
        return read_saved(opened.read(LARGEST + 1), keys, about=str(file))


def _moved(target: Target, plans: "list[AppPlan]") -> list[str]:
    """All that is not as it was when the plan was made."""
    from kilde.core.preview.moved import moved
    from kilde.wiring.planning import plan_again

    now = asyncio.run(plan_again(settings(target), plans, progress()))
    return [text for then, found in zip(plans, now, strict=True) for text in moved(then, found)]


def _refuse(told: list[str], begun: str = "nothing was written") -> int:
    click.echo(f"error: the plan no longer holds; {begun}", err=True)
    for text in told:
        click.echo(printable(f"  {text}"), err=True)
    click.echo("make a new one with kilde plan", err=True)
    return COULD_NOT


async def _carry_out(target: Target, plans: "list[AppPlan]", patience: float) -> int:
    async with applications(target) as apps:
        for place, plan in enumerate(plans):
            phase, message = await _one(apps, plan, patience)
            click.echo(printable(f"{plan.name}: {phase}: {message}"))
            if phase != "Succeeded":
                rest = [later.name for later in plans[place + 1 :]]
                if rest:
                    click.echo(f"not begun: {', '.join(rest)}", err=True)
                return COULD_NOT if message.startswith(_REFUSED) else FAILED
    return 0


_REFUSED = "the saved plan "  # how the controller's refusals begin


async def _one(apps: Applications, plan: "AppPlan", patience: float) -> tuple[str, str]:
    """Asks for it and waits; phase and message."""
    await apps.begin(plan.name, operation_of(plan))

    def over(_name: str, now: Object | None) -> bool:
        return now is None or under(now, "operation") is None

    try:
        done = (await apps.until({plan.name}, over, patience=patience))[plan.name]
    except TimeoutError:
        hint = f"it goes on: kilde app get {plan.name}"
        raise KildeError(f"the sync was not over within {patience:g} s", about=plan.name, hint=hint) from None
    return at(done, "status", "operationState", "phase") or "Gone", at(done, "status", "operationState", "message")


def operation_of(plan: "AppPlan") -> Object:
    """The `operation` block that does exactly this plan: its commits, and its digests for the controller to compare."""
    from kilde.core.apps.operation import PLAN, PLAN_BASIS

    shas = [source.sha for source in plan.sources]
    revision: dict[str, Any] = {"revision": shas[0]} if len(shas) == 1 else {"revisions": shas}
    return {
        "initiatedBy": {"username": who()},
        "info": [{"name": PLAN, "value": plan.digest}, {"name": PLAN_BASIS, "value": plan.basis}],
        "sync": {**revision, "prune": plan.prune},
    }
