"""`kilde ledger show`: one operation."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilde.cli import output as out
from kilde.cli.target import data_dir_option

if TYPE_CHECKING:
    from kilde.core.ledger.operation import OperationView


@click.command("show", epilog="Example: kilde ledger show 12 --data-dir state")
@click.argument("number", type=click.IntRange(min=1))
@data_dir_option
@out.output_option
def command(*, number: int, data_dir: Path, output: str) -> None:
    """Tells one operation: who asked, the commit, what was planned, what became of each object.

    NUMBER is that of the operation's record, as `kilde ledger log` lists it.
    """
    from kilde.adapters.store.sqlite_ledger import SqliteLedger
    from kilde.core.basics.errors import LedgerError
    from kilde.core.ledger.operation import operations

    with SqliteLedger.open_to_read(data_dir / "ledger.sqlite") as ledger:
        found = next(
            (one for one in operations(ledger.read(first=number), ledger.people()) if one.number == number), None
        )
    if found is None:
        raise LedgerError(f"record {number} opens no operation", hint="kilde ledger log lists those that do")
    if output:
        out.data(asdict(found), output)
        return
    out.fields(_facts(found))
    if found.planned:
        click.echo()
        out.table(("PLANNED", "ACTION", "WHY"), (_planned(item) for item in found.planned))
    if found.written:
        click.echo()
        rows = ((one.object, one.verb, one.outcome, one.before, one.after, one.message) for one in found.written)
        out.table(("OBJECT", "VERB", "OUTCOME", "BEFORE", "AFTER", "MESSAGE"), rows)


def _facts(one: "OperationView") -> Iterable[tuple[str, str]]:
    revision = one.revision
    closed = f"{one.phase} at {one.closed_at}" if one.closed_at else one.phase
    source = " ".join(one.source[key] for key in ("repoURL", "path", "targetRevision") if one.source.get(key))
    return (
        ("Operation", str(one.number)),
        ("Application", one.application),
        ("Cause", one.cause),
        ("Asked by", one.asked_by),
        ("Source", source),
        ("Commit", revision.get("sha", "")),
        ("Author", revision.get("author", "")),
        ("Subject", revision.get("subject", "")),
        ("Signature", revision.get("signature", "")),
        ("Rendered", one.rendered_digest),
        ("Opened", one.opened_at),
        ("Closed", closed),
        ("Message", one.message),
        ("Fields", ", ".join(one.fields)),
        ("Changed by", ", ".join(one.changed_by)),
        ("Unchanged", str(one.unchanged or "")),
    )


def _planned(item: Any) -> tuple[str, str, str]:
    return str(item.get("object", "")), str(item.get("action", "")), str(item.get("why", ""))
