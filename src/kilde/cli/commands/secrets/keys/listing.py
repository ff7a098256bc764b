"""`kilde secrets keys list`: which keys there are, in the cluster, in another home or in a backup."""

from pathlib import Path

import click

from kilde.cli import output as out
from kilde.cli.sealing.key_backup import home_options
from kilde.cli.target import Target


@click.command(epilog="Example: kilde secrets keys list --data-dir state")
@home_options
@click.option("--backup", type=click.Path(path_type=Path), help="List what this backup holds, and ask no cluster.")
@out.output_option
def command(*, target: Target, space: str, home: str, backup: Path | None, output: str) -> None:
    """Lists keys, newest first, with the SHA-256 of each public key. Nothing private is shown."""
    from kilde.cli.sealing import key_backup
    from kilde.core.secrets import keys

    stored = key_backup.read(backup) if backup else key_backup.of_home(target, space, home)
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
