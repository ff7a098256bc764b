"""`kilde ledger log`: the operations, newest first."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli import output as out
from kilde.cli.target import data_dir_option

if TYPE_CHECKING:
    from kilde.core.ledger.operation import OperationView

_SHORT = 7


@click.command("log", epilog="Example: kilde ledger log --data-dir state --app web --limit 10")
@data_dir_option
@click.option("--app", "application", default="", help="Only this application (name, or namespace/name).")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, the newest.")
@out.output_option
def command(*, data_dir: Path, application: str, limit: int, output: str) -> None:
    """Lists the operations, newest first."""
    from kilde.core.ledger.operation import operations
    from kilde.wiring.ledgers import ledger_to_read

    with ledger_to_read(data_dir) as ledger:
        found = [
            one
            for one in operations(ledger.read(), ledger.people())
            if application in ("", one.application, _name(one))
        ]
    newest = found[: -limit - 1 : -1]
    if output:
        out.data([asdict(one) for one in newest], output)
        return
    headings = ("NUMBER", "TIME", "APPLICATION", "CAUSE", "ASKED BY", "REVISION", "PHASE", "CHANGES", "MESSAGE")
    out.table(headings, (_row(one) for one in newest))


def _row(one: "OperationView") -> tuple[str, ...]:
    return (
        str(one.number),
        one.opened_at,
        one.application,
        one.cause,
        one.asked_by,
        one.revision.get("sha", "")[:_SHORT],
        one.phase,
        str(len(one.written)),
        one.message,
    )


def _name(one: "OperationView") -> str:
    return one.application.rpartition("/")[2]
