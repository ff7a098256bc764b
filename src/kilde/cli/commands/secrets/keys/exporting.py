"""`kilde secrets keys export`: every key into one file that a passphrase or age recipients lock."""

from pathlib import Path

import click

from kilde.cli.sealing.key_store import Chosen, key_options


@click.command(epilog="Example: kilde secrets keys export --data-dir state keys.locked")
@key_options
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="age1…",
    help="Lock the file to this age recipient instead of a passphrase; may be repeated: any of them opens it.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(*, chosen: Chosen, file: Path, recipients: tuple[str, ...], force: bool) -> None:
    """Writes all active keys to FILE (mode 0600, whole or not at all), locked with a passphrase of at least 12 characters, or
    to age recipients: then this machine needs no secret, and only a holder of an identity opens it.

    Try it at once, and again every few months: kilde secrets keys import --verify FILE.
    """
    from kilde.cli.sealing import key_backup

    key_backup.refuse_existing(file, force=force)
    stored = chosen.load()
    key_backup.write(file, stored, recipients=recipients, force=force)
    click.echo(f"{file}: {len(stored)} key{'' if len(stored) == 1 else 's'}")
