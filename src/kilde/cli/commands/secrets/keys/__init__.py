"""`kilde secrets keys`: the private keys themselves, backed up and put back. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.secrets.keys"


@click.group(
    cls=LazyGroup,
    modules={
        "list": f"{_HERE}.listing",
        "export": f"{_HERE}.exporting",
        "import": f"{_HERE}.importing",
        "rewrap": f"{_HERE}.rewrapping",
    },
    epilog="Example: kilde secrets keys export --data-dir state keys.locked",
    short_help="Back up private keys, try the backup, put them back.",
)
def command() -> None:
    """The private keys that open SealedSecrets, out to a file that a passphrase or age recipients lock, and back.

    The passphrase comes from the file named in KILDE_KEYS_PASSPHRASE_FILE, from KILDE_KEYS_PASSPHRASE, or from a prompt.
    """
