"""`kilde project role token delete`: from now on a token is good for nothing."""

import asyncio

import click

from kilde.cli.project_tokens import moment, project_tokens
from kilde.cli.target import Target, target_options
from kilde.core.access.roles import Token


@click.command(
    epilog="Example: kilde project role token delete team ci 3f9c0d21b7aa --data-dir state",
    short_help="Take a token back.",
)
@click.argument("project")
@click.argument("role")
@click.argument("token_id", metavar="ID")
@target_options
def command(*, project: str, role: str, token_id: str, target: Target) -> None:
    """Deletes the token ID of ROLE of PROJECT: whoever shows it from now on may do nothing."""
    token = asyncio.run(_delete(target, project, role, token_id))
    click.echo(f"deleted token {token.id} of proj:{project}:{role}, {moment(token)}")


async def _delete(target: Target, project: str, role: str, token_id: str) -> Token:
    async with project_tokens(target) as tokens:
        return await tokens.delete(project, role, token_id)
