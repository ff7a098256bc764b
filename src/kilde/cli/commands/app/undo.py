"""`kilde app undo`: put back what a sync, or the deletion of an application, took away."""

import asyncio
from datetime import UTC, datetime

import click

from kilde.cli import output as out
from kilde.cli.applications import settings
from kilde.cli.identity import who
from kilde.cli.target import Target, target_options

FOUND = 1


@click.command(
    epilog="Example: kilde app undo web --data-dir state --list", short_help="Put back what a sync has deleted."
)
@click.argument("name")
@target_options
@click.option("--operation", type=click.IntRange(min=1), help="Its number in the ledger; the newest if not given.")
@click.option("--list", "listing", is_flag=True, help="Only say what can be put back.")
@out.output_option
def command(*, name: str, target: Target, operation: int | None, listing: bool, output: str) -> int:
    """Puts back the objects of NAME that one operation deleted; NAME may be gone itself. Exit code 1 when some could not be.

    They stay until Git has them again, or somebody approves that they go. It needs the controller's data directory, where they were kept.
    """
    from kilde.wiring.undo import undo_application, what_can_be_undone

    if listing:
        found = what_can_be_undone(settings(target), name)
        rows = [(str(one.operation), _moment(one.at), str(len(one.objects)), ", ".join(one.objects)) for one in found]
        if output:
            out.data([one._asdict() for one in found], output)
        elif rows:
            out.table(("OPERATION", "TIME", "COUNT", "OBJECTS"), rows)
        else:
            click.echo("nothing that was deleted is kept", err=True)
        return 0
    done = asyncio.run(undo_application(settings(target), name, operation=operation, by=who()))
    if output:
        objects = [{"object": str(one.ref), "outcome": str(one.code), "message": one.message} for one in done.results]
        out.data({"phase": str(done.phase), "message": done.message, "objects": objects}, output)
    else:
        for one in done.results:
            click.echo(f"{one.ref}: {one.message}")
        out.verdict(str(done.phase), done.message)
    return 0 if str(done.phase) == "Succeeded" else FOUND


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
