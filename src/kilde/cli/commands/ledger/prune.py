"""`kilde ledger prune`: gives up old records; their hashes stay, and so do the proofs."""

from pathlib import Path

import click

from kilde.cli.target import data_dir_option


@click.command(
    "prune", epilog="Example: kilde ledger prune --before 2020-01-01T00:00:00Z --reason 'five years' --data-dir state"
)
@data_dir_option
@click.option("--before", required=True, metavar="TIME", help="Records from before this moment go (RFC 3339).")
@click.option("--reason", required=True, help="Why, for the record: the retention that is kept to.")
def command(*, data_dir: Path, before: str, reason: str) -> None:
    """Removes records from before a moment, behind a signed checkpoint. Records of operations that are still open stay."""
    from kilde.adapters.clock import SystemClock
    from kilde.cli.identity import who
    from kilde.core.basics.moment import parse
    from kilde.wiring.ledgers import existing_ledger

    moment, clock = parse(before), SystemClock()
    if moment is None:
        raise click.BadParameter("must be RFC 3339, such as 2020-01-01T00:00:00Z", param_hint="--before")
    with existing_ledger(data_dir.absolute(), clock) as (_, notary):
        record = notary.prune(moment, reason=reason, by=who(), now=clock.now())
    click.echo(f"record {record.number}: gave up records {record.body['first']} to {record.body['last']}")
