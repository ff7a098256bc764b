"""`kilde project role can`: whether a role, or whoever shows a token, may do something."""

import asyncio
import sys
import time

import click

from kilde.cli.project_tokens import project_tokens
from kilde.cli.target import Target, target_options
from kilde.core.access.tokens import holder
from kilde.core.basics.errors import InvalidInput
from kilde.engine.fleet.tokens import role_of

FOUND = 1
_LARGEST = 8192


@click.command(
    epilog="Example: kilde project role can team ci sync shop --data-dir state",
    short_help="Whether a role may do something.",
)
@click.argument("project")
@click.argument("role")
@click.argument("action")
@click.argument("app")
@target_options
@click.option("--resource", default="applications", show_default=True, help="What APP is one of.")
@click.option("--token-stdin", is_flag=True, help="Judge the token on standard input; it has to be of ROLE.")
def command(*, project: str, role: str, action: str, app: str, target: Target, resource: str, token_stdin: bool) -> int:
    """Says yes or no (exit code 1): whether ROLE of PROJECT may do ACTION (get, sync, action/apps/Deployment/restart …) with APP."""
    text = sys.stdin.read(_LARGEST + 1) if token_stdin else None
    allowed = asyncio.run(_may(target, project, role, action, app, resource=resource, token=text))
    click.echo("yes" if allowed else "no")
    return 0 if allowed else FOUND


async def _may(
    target: Target, project: str, role: str, action: str, app: str, *, resource: str, token: str | None
) -> bool:
    async with project_tokens(target) as tokens:
        found = await tokens.project(project)
        judged = role_of(found, role)
        if token is not None:
            claims = await tokens.claims(token, now=time.time())
            if (claims.project, claims.role) != (project, role):
                raise InvalidInput(f"the token is of proj:{claims.project}:{claims.role}", about=f"{project}:{role}")
            if holder(found, claims) is None:
                raise InvalidInput("the token was deleted from its project", about=f"{project}:{role}")
    name = app if app.startswith(f"{project}/") else f"{project}/{app}"
    return judged.permits(project, resource, action, name)
