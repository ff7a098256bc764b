"""`kilde appset get`: one set in full."""

import click

from kilde.cli import output as out
from kilde.cli.applications import at, name_of, under
from kilde.cli.commands.appset.listing import generators, health_of
from kilde.cli.sets import one_set
from kilde.cli.target import Target, target_options
from kilde.core.basics.values import Object

_OF_CONDITIONS = ("CONDITION", "STATUS", "REASON", "MESSAGE")
_OF_APPLICATIONS = ("APPLICATION", "SYNC", "HEALTH", "STEP", "ROLLOUT")


@click.command(epilog="Example: kilde appset get teams --data-dir state", short_help="One set in full.")
@click.argument("name")
@target_options
@out.output_option
def command(*, name: str, target: Target, output: str) -> None:
    """Tells how the set NAME is: its conditions, its Applications, and how far a rollout is."""
    one = one_set(target, name)
    if output:
        out.data(one, output)
        return
    out.fields(
        [
            ("Name", name_of(one)),
            ("Health", f"{health_of(one)} {at(one, 'status', 'health', 'message')}".strip()),
            ("Generators", ", ".join(generators(one))),
            ("Policy", at(one, "spec", "syncPolicy", "applicationsSync") or "sync"),
            ("Strategy", at(one, "spec", "strategy", "type")),
        ]
    )
    conditions = under(one, "status", "conditions") or []
    if conditions:
        click.echo()
        out.table(
            _OF_CONDITIONS,
            [tuple(at(each, key) for key in ("type", "status", "reason", "message")) for each in conditions],
        )
    rows = list(_applications(one))
    if rows:
        click.echo()
        out.table(_OF_APPLICATIONS, rows)


def _applications(one: Object) -> list[tuple[str, ...]]:
    turn = {at(each, "application"): each for each in under(one, "status", "applicationStatus") or []}
    return [
        (
            at(each, "name"),
            at(each, "status") or "Unknown",
            at(each, "health", "status") or "Unknown",
            at(turn.get(at(each, "name")), "step"),
            at(turn.get(at(each, "name")), "status"),
        )
        for each in under(one, "status", "resources") or []
    ]
