"""`kilde app actions run`: something done to one object of an application, or to all of a kind."""

import asyncio

import click

from kilde.cli.applications import MANAGER, applications, settings
from kilde.cli.identity import who
from kilde.cli.object_options import pick_options
from kilde.cli.printable import printable
from kilde.cli.target import Target, target_options
from kilde.core.apply.outcome import Outcome, Phase
from kilde.engine.beside.object_actions import Pick

FOUND = 1


@click.command(
    epilog="Example: kilde app actions run web scale --kind Deployment --param replicas=3 --data-dir state",
    short_help="Do something to an object.",
)
@click.argument("app", metavar="NAME")
@click.argument("action")
@target_options
@pick_options
@click.option("--all", "every", is_flag=True, help="On all objects that are meant and have the action now.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="What the action asks for.")
def command(*, app: str, action: str, target: Target, pick: Pick, every: bool, parameters: tuple[str, ...]) -> int:
    """Runs ACTION on an object of the application NAME, on record. Exit code 1 where the cluster refuses.

    What Git says otherwise, the controller puts back where the application heals itself: a number of replicas that is in Git, for one.
    """
    if not (pick.kind or pick.name):
        raise click.UsageError("say which objects: --kind, --name")
    given = dict(_pair(text) for text in parameters)
    outcome, on_record = asyncio.run(_run(target, app, action, pick, every, given))
    for result in outcome.results:
        click.echo(printable(f"{result.ref}: {result.message}"))
    if not on_record:
        click.echo(f"not on record: there is no ledger in {target.data_dir}", err=True)
    return 0 if outcome.phase is Phase.SUCCEEDED else FOUND


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise click.UsageError(f"--param is NAME=VALUE, not '{text}'")
    return name, value


async def _run(
    target: Target, name: str, action: str, pick: Pick, every: bool, parameters: dict[str, str]
) -> tuple[Outcome, bool]:
    from kilde.wiring.object_actions import object_actions

    async with applications(target) as apps:
        body = await apps.get(name)
    async with object_actions(settings(target), body, manager=MANAGER, recorded=True) as (actions, on_record):
        return await actions.run(pick, action, parameters, every=every, asked_by=who()), on_record
