"""`kilde app terminate`: have the operation of an application end where it is."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.applications import Applications, applications, at, persistently, under
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object

FOUND = 1


@click.command(
    epilog="Example: kilde app terminate web --data-dir state", short_help="End the operation that is under way."
)
@click.argument("name")
@target_options
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the end of it.")
@click.option("--timeout", type=DURATION, default="1m", show_default=True, help="How long to wait.")
@out.output_option
def command(*, name: str, target: Target, wait: bool, timeout: float, output: str) -> int:
    """Ends the operation of NAME: hooks that run are deleted, what is written stays. Exit code 1 when it was over before that.

    An operation that has not begun is taken back. An automated sync is not tried again for the same commit.
    """
    state = asyncio.run(_terminate(target, name, timeout if wait else None))
    if output:
        out.data(state, output)
    elif not wait:
        click.echo(f"asked for the end of {name}'s operation")
    elif state:
        out.verdict(at(state, "phase"), at(state, "message"))
    else:
        click.echo(f"took back {name}'s operation before it began")
    return FOUND if at(state, "phase") == "Succeeded" else 0


async def _terminate(target: Target, name: str, patience: float | None) -> Object:
    """The operation's state at its end, or as asked; {} where it had not begun. `patience` in seconds; None: no waiting."""
    async with applications(target) as apps:
        app = await persistently(lambda: _ask(apps, name))
        if app is None:
            return {}
        if patience is None:
            return _state(app)

        def over(_name: str, app: Object | None) -> bool:
            return app is None or at(app, "status", "operationState", "phase") not in ("Running", "Terminating")

        try:
            last = (await apps.until({name}, over, patience=patience))[name]
        except TimeoutError:
            hint = "it ends as soon as a running controller sees it: kilde app get says how it is"
            raise KildeError(f"the operation was not over within {patience:g} s", about=name, hint=hint) from None
        if last is None:
            raise KildeError("it was deleted meanwhile", about=name)
        return _state(last)


def _state(app: Object) -> Object:
    return under(app, "status", "operationState") or {}


async def _ask(apps: Applications, name: str) -> Object | None:
    """The Application whose operation is to end; None where it had not begun and was taken back."""
    app = await apps.get(name)
    unchanged = {"metadata": {"resourceVersion": at(app, "metadata", "resourceVersion")}}
    phase = at(app, "status", "operationState", "phase")
    if phase not in ("Running", "Terminating"):
        if under(app, "operation") is None:
            raise KildeError("no operation is under way", about=name, hint=f"see what was: kilde app get {name}")
        await apps.patch(name, {**unchanged, "operation": None})
        return None
    if phase == "Running":
        app = await apps.patch(name, {**unchanged, "status": {"operationState": {"phase": "Terminating"}}})
    return app
