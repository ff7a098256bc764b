"""`kilde secrets keys list`: which keys there are, in the cluster, in another home or in a backup."""

from pathlib import Path

import click

from kilde.cli import output as out
from kilde.cli.sealing.key_backup import identity_option
from kilde.cli.sealing.key_store import Chosen, key_options


@click.command(epilog="Example: kilde secrets keys list --data-dir state")
@key_options
@click.option("--backup", type=click.Path(path_type=Path), help="List what this backup holds, and ask no cluster.")
@identity_option
@out.output_option
def command(*, chosen: Chosen, backup: Path | None, identities: tuple[Path, ...], output: str) -> None:
    """Lists keys, newest first, with the SHA-256 of each public key. Nothing private is shown."""
    from kilde.cli.sealing import key_backup
    from kilde.core.secrets import keys

    stored = key_backup.read(backup, identities) if backup else chosen.load()
    rows = [
        {
            "key": key.name,
            "created": f"{key.not_before:%Y-%m-%d}",
            "expires": f"{key.certificate.not_valid_after_utc:%Y-%m-%d}",
            "fingerprint": key.fingerprint,
        }
        for key in keys.in_order(tuple(map(key_backup.sealing_key, stored)))
    ]
    if output:
        out.data({"keys": rows}, output)
        return
    for row in rows:
        click.echo(
            f"{row['key']}  created {row['created']}  expires {row['expires']}  fingerprint {row['fingerprint'][:16]}"
        )
    if not rows:
        click.echo("no keys")
