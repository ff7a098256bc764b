"""`kilde ledger checkpoint`: what the ledger is now, signed; to keep where its writer cannot change it."""

from pathlib import Path

import click

from kilde.cli.target import data_dir_option
from kilde.cli.witnesses import witness_option


@click.command("checkpoint", epilog="Example: kilde ledger checkpoint --data-dir state > checkpoint.txt")
@data_dir_option
@click.option("--key", is_flag=True, help="Print the verifier key instead, all of them if it was rotated.")
@witness_option
def command(*, data_dir: Path, key: bool, witnesses: tuple[str, ...]) -> None:
    """Signs the ledger's size and root (C2SP tlog-checkpoint), prints that, and hands it to the witnesses."""
    import asyncio

    from kilde.adapters.clock import SystemClock
    from kilde.wiring.ledgers import existing_ledger
    from kilde.wiring.witnesses import tell_witnesses

    with existing_ledger(data_dir.absolute(), SystemClock()) as (ledger, notary):
        if key:
            for one in notary.verifier_keys():
                click.echo(str(one))
            return
        size = ledger.end().number
        note = notary.checkpoint(size)
    click.echo(note, nl=False)
    if witnesses:
        for name in asyncio.run(tell_witnesses(witnesses, data_dir.absolute(), note, size)):
            click.echo(f"kept by {name}", err=True)
