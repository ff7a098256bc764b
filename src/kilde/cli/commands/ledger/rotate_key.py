"""`kilde ledger rotate-key`: a new signing key, which the old one vouches for."""

from pathlib import Path

import click

from kilde.cli.target import data_dir_option


@click.command("rotate-key", epilog="Example: kilde ledger rotate-key --data-dir state")
@data_dir_option
def command(*, data_dir: Path) -> None:
    """Makes a new key and hands over to it by a record that the old one signs. What the old one signed stays good."""
    from kilde.adapters.clock import SystemClock
    from kilde.wiring.ledgers import existing_ledger

    clock = SystemClock()
    with existing_ledger(data_dir.absolute(), clock) as (_, notary):
        click.echo(str(notary.rotate(now=clock.now())))
