"""`kilde project role token create`: a token for a program; told once, and kept nowhere."""

import asyncio
import time

import click

from kilde.cli.parameters import DURATION
from kilde.cli.project_tokens import moment, project_tokens
from kilde.cli.target import Target, target_options
from kilde.core.access.roles import Token


@click.command(
    epilog="Example: kilde project role token create team ci --expires-in 24h --data-dir state",
    short_help="Make a token; it is printed once.",
)
@click.argument("project")
@click.argument("role")
@target_options
@click.option("--expires-in", type=DURATION, default="0", help="How long it is good for; for ever if not given.")
@click.option("--id", "token_id", default="", help="Its id, to delete it by; a random one if not given.")
def command(*, project: str, role: str, target: Target, expires_in: float, token_id: str) -> None:
    """Makes a token of ROLE of PROJECT and prints it, alone, on standard output; what is noted of it goes to standard error.

    Kilde keeps its id and its times, not the token: who loses it makes another.
    """
    token, text = asyncio.run(_create(target, project, role, token_id, expires_in))
    click.echo(f"token {token.id} of proj:{project}:{role}, {moment(token)}", err=True)
    click.echo(text)


async def _create(target: Target, project: str, role: str, token_id: str, lasts: float) -> tuple[Token, str]:
    async with project_tokens(target) as tokens:
        return await tokens.create(project, role, token_id=token_id, now=time.time(), lasts=lasts)
