"""`kilde project role list`: the roles of a project."""

import asyncio

import click

from kilde.cli import output as out
from kilde.cli.project_tokens import project_tokens
from kilde.cli.target import Target, target_options
from kilde.core.access.project import Project
from kilde.core.access.roles import Role

FOUND = 1


@click.command(
    epilog="Example: kilde project role list team --data-dir state",
    short_help="Its roles, and what is wrong with them.",
)
@click.argument("project")
@target_options
@out.output_option
def command(*, project: str, target: Target, output: str) -> int:
    """Lists the roles of PROJECT. Exit code 1 when a line of a policy, a name or a group cannot be used: it permits nothing."""
    found = asyncio.run(_read(target, project))
    if output:
        out.data([_whole(role) for role in found.roles], output)
    elif not found.roles:
        click.echo("it has no roles", err=True)
    else:
        headings = ("ROLE", "POLICIES", "GROUPS", "TOKENS", "DESCRIPTION")
        out.table(headings, [_row(role) for role in found.roles])
    for role in found.roles:
        for problem in role.problems:
            click.echo(f"{click.style('error', fg='red')}: {role.name}: {problem}", err=True)
    return FOUND if any(role.problems for role in found.roles) else 0


async def _read(target: Target, project: str) -> Project:
    async with project_tokens(target) as tokens:
        return await tokens.project(project)


def _row(role: Role) -> tuple[str, ...]:
    counts = (len(role.policies), len(role.groups), len(role.tokens))
    return role.name, *map(str, counts), role.description


def _whole(role: Role) -> dict[str, object]:
    return {
        "name": role.name,
        "description": role.description,
        "policies": [
            {
                "resource": one.resource,
                "action": one.action,
                "object": one.object,
                "effect": "allow" if one.allows else "deny",
            }
            for one in role.policies
        ],
        "groups": list(role.groups),
        "tokens": [{"id": one.id, "iat": one.issued_at, "exp": one.expires_at} for one in role.tokens],
        "problems": list(role.problems),
    }
