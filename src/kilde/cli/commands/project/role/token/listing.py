"""`kilde project role token list`: which tokens of a role are good."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.project_tokens import project_tokens
from kilde.cli.target import Target, target_options
from kilde.core.access.roles import Token
from kilde.core.basics.moment import rfc3339
from kilde.engine.fleet.tokens import role_of


@click.command(
    epilog="Example: kilde project role token list team ci --data-dir state", short_help="Which tokens there are."
)
@click.argument("project")
@click.argument("role")
@target_options
@out.output_option
def command(*, project: str, role: str, target: Target, output: str) -> None:
    """Lists the tokens of ROLE of PROJECT by id, newest first; none of them can be shown again."""
    found = asyncio.run(_read(target, project, role))
    if output:
        out.data([{"id": one.id, "iat": one.issued_at, "exp": one.expires_at} for one in found], output)
    elif not found:
        click.echo("there are no tokens", err=True)
    else:
        out.table(("ID", "ISSUED", "EXPIRES"), [_row(one) for one in found])


def _row(token: Token) -> tuple[str, str, str]:
    return token.id, rfc3339(token.issued_at), rfc3339(token.expires_at) if token.expires_at else "never"


async def _read(target: Target, project: str, role: str) -> tuple[Token, ...]:
    async with project_tokens(target) as tokens:
        return role_of(await tokens.project(project), role).tokens
