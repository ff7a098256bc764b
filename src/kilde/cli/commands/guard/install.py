"""`kilde guard install`: the policies, their access rules and the settings, applied or printed."""

import asyncio

import click

from kilde.cli import guarding
from kilde.cli.target import Target, target_options
from kilde.core.basics.values import Object


@click.command(
    epilog="Example: kilde guard install --data-dir state --group developers",
    short_help="Install the guard, or print it.",
)
@target_options
@click.option(
    "--only", multiple=True, metavar="NAMESPACE", help="Guard this namespace; without it all where Git owns something."
)
@click.option(
    "--whole-namespaces",
    "whole",
    is_flag=True,
    help="Refuse every write by hand in those namespaces, of objects of Git or not.",
)
@click.option(
    "--group", "groups", multiple=True, help="Give this group the right to read all but Secrets, and to open the guard."
)
@click.option("--allow-user", "users", multiple=True, help="A user who counts as no person, such as a CI job's.")
@click.option("--allow-group", "allowed", multiple=True, help="A group whose members count as no people.")
@click.option("--refuse-user", "refused", multiple=True, help="A user system:… who counts as a person.")
@click.option("--print", "prints", is_flag=True, help="Print the manifests, for Git, and apply nothing.")
def command(
    *,
    target: Target,
    only: tuple[str, ...],
    whole: bool,
    groups: tuple[str, ...],
    users: tuple[str, ...],
    allowed: tuple[str, ...],
    refused: tuple[str, ...],
    prints: bool,
) -> None:
    """Refuses writes by people to objects that Git owns, and the deletion of namespaces that hold them.

    Components, nodes and service accounts (users system:…) are let through, so is the status, and scaling by an autoscaler. The
    message names the file and commit to change. A running controller keeps what is refused in step with Git.
    """
    found = guarding.manifests_for(
        target.namespace, only=only, whole=whole, groups=groups, users=users, allowed=allowed, refused=refused
    )
    if prints:
        from kilde.core.objects.yaml_writer import write_documents

        click.echo(write_documents(found), nl=False)
        return
    asyncio.run(_install(target, found))
    click.echo("installed; writes by hand are refused within seconds (kilde guard test proves it)")


async def _install(target: Target, found: list[Object]) -> None:
    async with guarding.cluster_of(target) as cluster:
        await guarding.install(cluster, found)
