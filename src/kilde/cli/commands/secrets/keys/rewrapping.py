"""`kilde secrets keys rewrap`: keys in Vault, wrapped by the newest version of their transit key."""

import click

from kilde.cli.sealing.key_store import Chosen, key_options
from kilde.ports.keys import KeyStore


@click.command(
    epilog="Example: kilde secrets keys rewrap --vault vault.yaml --seal-keys vault:secret/kilde/sealing-keys"
)
@key_options
def command(*, chosen: Chosen) -> None:
    """Has Vault wrap every key anew by the newest version of the transit key; the keys do not leave Vault for it.

    Do it after `vault write -f transit/keys/NAME/rotate`, and before an older version is given up (min_decryption_version).
    """
    from kilde.adapters.keys.vault import VaultKeys
    from kilde.core.basics.errors import InvalidInput

    async def rewrap(store: KeyStore) -> list[str]:
        if not isinstance(store, VaultKeys):
            raise InvalidInput("these keys are not in Vault", about="--seal-keys", hint="give vault:MOUNT/NAME")
        return await store.rewrap()

    names = chosen.use(rewrap)
    for name in names:
        click.echo(f"{name}: wrapped anew")
    if not names:
        click.echo("every key is wrapped by the newest version")
