"""`kilde secrets keys export`: every key into one file that a passphrase locks."""

from pathlib import Path

import click

from kilde.cli.sealing.key_backup import home_options
from kilde.cli.target import Target


@click.command(epilog="Example: kilde secrets keys export --data-dir state keys.locked")
@home_options
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(*, target: Target, space: str, home: str, file: Path, force: bool) -> None:
    """Writes all active keys to FILE (mode 0600, whole or not at all), locked with a passphrase of at least 12 characters.

    Try it at once, and again every few months: kilde secrets keys import --verify FILE.
    """
    from kilde.cli.sealing import key_backup

    key_backup.refuse_existing(file, force=force)
    stored = key_backup.of_home(target, space, home)
    key_backup.write(file, stored, force=force)
    click.echo(f"{file}: {len(stored)} key{'' if len(stored) == 1 else 's'}")
