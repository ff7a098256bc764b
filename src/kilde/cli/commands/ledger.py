"""`kilde ledger`: what was done, by whom, and whether the record of it is what it was."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilde.cli import output as out
from kilde.cli.target import data_dir_option

if TYPE_CHECKING:
    from kilde.adapters.store.sqlite_ledger import SqliteLedger
    from kilde.core.ledger.chain import Anchor
    from kilde.core.ledger.operation import OperationView

FOUND = 1
_SHORT = 7


@click.group(epilog="Example: kilde ledger log --data-dir state", short_help="What was done, and the proof of it.")
def command() -> None:
    """Reads the ledger of a data directory, also while `kilde up` runs."""


def _open(data_dir: Path) -> "SqliteLedger":
    from kilde.adapters.store.sqlite_ledger import SqliteLedger

    return SqliteLedger.open_to_read(data_dir / "ledger.sqlite")


@command.command(epilog="Example: kilde ledger log --data-dir state --app web --limit 10")
@data_dir_option
@click.option("--app", "application", default="", help="Only this application (name, or namespace/name).")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, the newest.")
@out.output_option
def log(*, data_dir: Path, application: str, limit: int, output: str) -> None:
    """Lists the operations, newest first."""
    from kilde.core.ledger.operation import operations

    with _open(data_dir) as ledger:
        found = [one for one in operations(ledger.read()) if application in ("", one.application, _name(one))]
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


@command.command(epilog="Example: kilde ledger show 12 --data-dir state")
@click.argument("number", type=click.IntRange(min=1))
@data_dir_option
@out.output_option
def show(*, number: int, data_dir: Path, output: str) -> None:
    """Tells one operation: who asked, the commit, what was planned, what became of each object.

    NUMBER is that of the operation's record, as `kilde ledger log` lists it.
    """
    from kilde.core.basics.errors import LedgerError
    from kilde.core.ledger.operation import operations

    with _open(data_dir) as ledger:
        found = next((one for one in operations(ledger.read(first=number)) if one.number == number), None)
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


def _read_head(_ctx: click.Context, _option: click.Parameter, value: str) -> "Anchor | None":
    from kilde.core.ledger.chain import Anchor

    if not value:
        return None
    number, _, hash_ = value.partition(":")
    if not number.isdigit() or len(hash_) != 64:
        raise click.BadParameter("must be NUMBER:HASH, as verify prints it")
    return Anchor(int(number), hash_)


@command.command(epilog="Example: kilde ledger verify --data-dir state")
@data_dir_option
@click.option(
    "--head",
    metavar="NUMBER:HASH",
    default="",
    callback=_read_head,
    help="A head that an earlier verification printed, kept where the ledger's writer cannot change it.",
)
@out.output_option
def verify(*, data_dir: Path, head: "Anchor | None", output: str) -> int:
    """Checks the whole chain. Exit code 1 when a record was altered, removed, inserted or put elsewhere: it is named."""
    with _open(data_dir) as ledger:
        verdict = ledger.verify([head] if head else [])
    printed = f"{verdict.head.number}:{verdict.head.hash}" if verdict.head else ""
    if output:
        findings = [asdict(finding) for finding in verdict.findings]
        facts = {"intact": verdict.intact, "records": verdict.records, "head": printed, "findings": findings}
        out.data(facts, output)
    elif verdict.intact:
        click.echo(f"{click.style('intact', fg=out.GOOD)}: {verdict.records} records, head {printed or 'none'}")
    else:
        wrong = len(verdict.findings)
        click.secho(f"not intact: {wrong} {'finding' if wrong == 1 else 'findings'}", fg=out.BAD)
        rows = ((str(one.number), str(one.tampering), one.what) for one in verdict.findings)
        out.table(("RECORD", "WAS", "BECAUSE"), rows)
    return 0 if verdict.intact else FOUND
