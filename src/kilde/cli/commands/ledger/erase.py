"""`kilde ledger erase`: forgets a person; every proof stays what it was."""

from pathlib import Path

import click

from kilde.cli.target import data_dir_option


@click.command(
    "erase", epilog="Example: kilde ledger erase --person ann@example.org --reason 'request 7' --data-dir state"
)
@data_dir_option
@click.option(
    "--person", required=True, help="Their mail address, or name and address as git writes them, or a reference."
)
@click.option("--reason", required=True, help="Why, for the record; do not name the person in it.")
def command(*, data_dir: Path, person: str, reason: str) -> None:
    """Removes name and address of a person. That somebody was erased, when, why and by whom, is itself a record."""
    from kilde.adapters.clock import SystemClock
    from kilde.cli.identity import who
    from kilde.wiring.ledgers import existing_ledger

    clock = SystemClock()
    with existing_ledger(data_dir.absolute(), clock) as (ledger, notary):
        for record in notary.erase(person, reason=reason, by=who(), now=clock.now()):
            click.echo(f"record {record.number}: erased {record.body['person']}")
        if left := sum(1 for one in ledger.read() if person.casefold() in str(one.body).casefold()):
            told = "an older version of kilde wrote their name into them, or it is in a commit's subject"
            click.echo(
                f"warning: {left} records still say it ({told}); kilde ledger prune gives old records up", err=True
            )
