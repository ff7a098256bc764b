"""`kilde guard test`: proves by impersonated dry runs what each group of people can and cannot do."""

import asyncio

import click

from kilde.cli import guarding
from kilde.cli import output as out
from kilde.cli.target import Target, target_options

FOUND = 1


@click.command(
    "test",
    epilog="Example: kilde guard test --data-dir state --group developers",
    short_help="Prove who can write and who cannot.",
)
@target_options
@click.option(
    "--only",
    multiple=True,
    metavar="NAMESPACE",
    help="Try objects of this namespace; without it one of each that is guarded.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    help="Try as a member of this group; without it all that RBAC names, and system:masters.",
)
@out.output_option
def command(*, target: Target, only: tuple[str, ...], groups: tuple[str, ...], output: str) -> int:
    """Tries, as each group and without writing anything, to change and delete what Git owns; and that components still can.

    Needs the right to impersonate. Exit code 1: somebody can who should not, or the other way round.
    """
    found = asyncio.run(_try(target, only, groups))
    if output:
        out.data(found, output)
    else:
        headings = ("WHO", "TRIES TO", "OBJECT", "ANSWER", "BY", "VERDICT")
        out.table(
            headings,
            [tuple(one[key] for key in ("who", "tries", "object", "answer", "by", "verdict")) for one in found],
        )
    return FOUND if any(one["verdict"] != "good" for one in found) else 0


async def _try(target: Target, only: tuple[str, ...], groups: tuple[str, ...]) -> list[dict[str, str]]:
    async with guarding.cluster_of(target) as cluster:
        return await guarding.trials(cluster, target, only=only, groups=groups)
