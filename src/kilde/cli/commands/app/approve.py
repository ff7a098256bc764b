"""`kilde app approve`: release deletions that are held because they are over a budget."""

import asyncio
import re

import click

from kilde.cli import output as out
from kilde.cli.applications import Applications, applications, at, persistently, under
from kilde.cli.identity import who
from kilde.cli.printable import printable
from kilde.cli.target import Target, target_options
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object
from kilde.core.plan.held import APPROVED, CONDITION, digest_in

FOUND = 1
_SHORTEST = 12


@click.command(
    epilog="Example: kilde app approve web --data-dir state --plan 3f9c0d21b7aa",
    short_help="Release deletions that are over the budget.",
)
@click.argument("name")
@target_options
@click.option(
    "--plan",
    default="",
    metavar="DIGEST",
    help="Of the deletions, as the condition names it; twelve digits are enough.",
)
@out.output_option
def command(*, name: str, target: Target, plan: str, output: str) -> int:
    """Lets NAME delete what its condition lists; just that, and only while Git wants what it wants now.

    Without --plan it says what is held, with exit code 1. An application that does not prune by itself is then to be synced again. A
    sync to another revision than Git's says itself what it held: give the whole digest.
    """
    held, automated = asyncio.run(_approve(target, name, plan))
    if output:
        out.data({"application": name, "held": "" if plan else held, "plan": held if plan else digest_in(held)}, output)
        return FOUND if held and not plan else 0
    if not plan:
        click.echo(printable(held) if held else "nothing is held")
        return FOUND if held else 0
    then = "it goes on" if automated else f"now: kilde app sync {name} --prune"
    click.echo(f"approved the deletions {held} of {name}; {then}")
    return 0


async def _approve(target: Target, name: str, plan: str) -> tuple[str, bool]:
    """What is held, or the digest that was approved; and whether the application prunes by itself."""
    async with applications(target) as apps:
        return await approve(apps, name, plan)


async def approve(apps: Applications, name: str, plan: str) -> tuple[str, bool]:
    """As asked, of what is held at the moment it is written."""
    return await persistently(lambda: _attempt(apps, name, plan))


async def _attempt(apps: Applications, name: str, plan: str) -> tuple[str, bool]:
    app = await apps.get(name)
    held = _held(app)
    automated = under(app, "spec", "syncPolicy", "automated", "prune") is True
    if not plan:
        return held, automated
    # a whole digest may be of a sync to another revision: the condition does not tell of it
    if not held and re.fullmatch(r"[0-9a-f]{64}", plan) is None:
        raise KildeError("nothing is held", about=name, hint=f"kilde app get {name} tells how it is")
    digest = digest_in(held) or plan
    if len(plan) < _SHORTEST or not digest.startswith(plan):
        hint = f"see what it is: kilde app approve {name}"
        raise KildeError(f"what is held is not {plan}", about=name, hint=hint)
    version = at(app, "metadata", "resourceVersion")
    annotations = {APPROVED: f"{digest} {who()}"}
    await apps.patch(name, {"metadata": {"resourceVersion": version, "annotations": annotations}})
    return digest, automated


def _held(app: Object) -> str:
    """The condition's message; "" where nothing is held."""
    for one in under(app, "status", "conditions") or ():
        if at(one, "type") == CONDITION:
            return at(one, "message")
    return ""
