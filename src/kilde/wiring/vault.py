"""The client of Vault: for keys, values and SOPS files."""

from kilde.adapters.clock import SystemClock
from kilde.core.secrets.vault.settings import VaultSettings
from kilde.ports.vault import Vault


def open_vault(settings: VaultSettings) -> Vault:
    """A client; nothing is asked yet."""
    from kilde.adapters.vault.client import VaultClient

    return VaultClient(settings, SystemClock())
