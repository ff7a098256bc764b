"""`kilde ledger verify`: whether the record of what was done is what it was."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli import output as out
from kilde.cli.target import data_dir_option
from kilde.cli.witnesses import witness_option

if TYPE_CHECKING:
    from kilde.core.ledger.chain import Anchor
    from kilde.core.ledger.checkpoint import PublicKey
    from kilde.core.ledger.evidence import Note

FOUND = 1


def _read_head(_ctx: click.Context, _option: click.Parameter, value: str) -> "Anchor | None":
    from kilde.core.ledger.chain import Anchor

    if not value:
        return None
    number, _, hash_ = value.partition(":")
    if not number.isdigit() or len(hash_) != 64:
        raise click.BadParameter("must be NUMBER:HASH, as verify prints it")
    return Anchor(int(number), hash_)


def _read_key(_ctx: click.Context, _option: click.Parameter, value: str) -> "PublicKey | None":
    from kilde.core.basics.errors import LedgerError
    from kilde.core.ledger.checkpoint import read_key

    try:
        return read_key(value) if value else None
    except LedgerError as error:
        raise click.BadParameter(str(error)) from error


def _notes(witnesses: tuple[str, ...], data_dir: Path) -> "list[Note]":
    import asyncio

    from kilde.wiring.witnesses import ask_witnesses

    return asyncio.run(ask_witnesses(witnesses, data_dir.absolute()))


@click.command("verify", epilog="Example: kilde ledger verify --data-dir state")
@data_dir_option
@click.option(
    "--head",
    metavar="NUMBER:HASH",
    default="",
    callback=_read_head,
    help="A head that an earlier verification printed, kept where the ledger's writer cannot change it.",
)
@click.option(
    "--key",
    metavar="KEY",
    default="",
    callback=_read_key,
    help="A verifier key that kilde ledger checkpoint printed: the ledger must be the one that it belongs to.",
)
@witness_option
@out.output_option
def command(
    *, data_dir: Path, head: "Anchor | None", key: "PublicKey | None", witnesses: tuple[str, ...], output: str
) -> int:
    """Checks everything: chain, tree, keys, checkpoints, people. Exit code 1 when something is not what it was: it is named."""
    from kilde.wiring.ledgers import ledger_to_read

    notes = _notes(witnesses, data_dir) if witnesses else []
    with ledger_to_read(data_dir) as ledger:
        verdict = ledger.verify([head] if head else [], notes=notes, trusted=key)
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
