"""`kilde ledger export`: one archive that an auditor checks elsewhere, offline."""

from pathlib import Path

import click

from kilde.cli.target import data_dir_option


@click.command(
    "export", epilog="Example: kilde ledger export --from 2026-01-01T00:00:00Z --out audit.zip --data-dir state"
)
@data_dir_option
@click.option(
    "--from", "begin", metavar="TIME", default="", help="From this time (RFC 3339) or record on; all if not given."
)
@click.option("--to", "end", metavar="TIME", default="", help="Up to this time or record; to the last if not given.")
@click.option(
    "--out",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The archive to write (ZIP).",
)
def command(*, data_dir: Path, begin: str, end: str, target: Path) -> None:
    """Writes records, proofs, a signed checkpoint, keys, names, the commits and a verifier into one file.

    It is checked on any machine with `python3 verify.py FILE`; verify.py is in the archive.
    """
    from kilde.adapters.clock import SystemClock
    from kilde.cli.exporting import export, number_at
    from kilde.wiring.evidence import bundle_commits
    from kilde.wiring.ledgers import existing_ledger

    folder = data_dir.absolute()
    with existing_ledger(folder, SystemClock()) as (ledger, notary):
        notary.checkpoint()
        first = number_at(ledger, begin, end=False) if begin else ledger.pruned() + 1
        last = number_at(ledger, end, end=True) if end else ledger.end().number
        made = export(ledger, notary, target.absolute(), first=first, last=last, bundles=bundle_commits(folder))
    click.echo(f"wrote {target}: records {made.first} to {made.last}, {made.commits} commits")
    if made.missing:
        click.echo(f"warning: {len(made.missing)} commits are in no mirror any more; they are named in it", err=True)
