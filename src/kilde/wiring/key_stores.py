"""The store that `--seal-keys` names."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.cluster_secrets import ClusterSecretKeys
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets.key_home import KeyHome
from kilde.core.secrets.vault.place import Place, read_place
from kilde.core.secrets.vault.settings import VaultSettings
from kilde.ports.cluster import Cluster
from kilde.ports.keys import KeyStore
from kilde.ports.vault import Vault
from kilde.wiring.vault import open_vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where the keys lie, and what opens that place: a passphrase for a file, `reach` for Vault."""

    home: KeyHome = field(default_factory=KeyHome)
    passphrase: bytes = field(default=b"", repr=False)
    reach: VaultSettings | None = None


def open_key_store(
    keys: Keys,
    cluster: Cluster | None,
    namespace: str,
    vault: Vault | None,
    *,
    prefix: str = "sealed-secrets-key",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> KeyStore:
    """`cluster` is needed for Secrets, `vault` for Vault; `prefix`, `labels` and `annotations` are those of new Secrets. InvalidInput."""
    if keys.home.file:
        from kilde.adapters.keys.encrypted_file import EncryptedFileKeys

        return EncryptedFileKeys(Path(keys.home.file), keys.passphrase, SystemClock())
    if keys.home.vault:
        from kilde.adapters.keys.vault import VaultKeys

        if keys.reach is None or vault is None:
            hint = "give --vault FILE, or set VAULT_ADDR and VAULT_TOKEN"
            raise InvalidInput("it is not said where Vault is", about="--seal-keys vault:…", hint=hint)
        place, transit = key_places(keys)
        return VaultKeys(vault, place, transit, SystemClock())
    assert cluster is not None, "Secrets are in a cluster"
    return ClusterSecretKeys(cluster, namespace, prefix=prefix, labels=labels, annotations=annotations)


def key_places(keys: Keys) -> tuple[Place, ...]:
    """Where the keys lie in Vault, and the transit key; nothing where they do not. InvalidInput."""
    if not keys.home.vault:
        return ()
    mounts = keys.reach.mounts if keys.reach else ()
    home = keys.home
    return read_place(home.vault, mounts, about=home.vault), read_place(home.transit, mounts, about=home.transit)


@contextlib.asynccontextmanager
async def key_store(keys: Keys, kubeconfig: Path | None, *, context: str, space: str) -> AsyncIterator[KeyStore]:
    """A store for as long as a command needs it. A cluster is asked only where the keys are in it."""
    from kilde.wiring.cluster import open_cluster

    async with contextlib.AsyncExitStack() as stack:
        cluster: Cluster | None = None
        vault: Vault | None = None
        if keys.home.vault and keys.reach is not None:
            vault = open_vault(keys.reach)
            stack.push_async_callback(vault.close)
        elif not keys.home.file and not keys.home.vault:
            cluster = open_cluster(kubeconfig, context=context)
            stack.push_async_callback(cluster.close)
        yield open_key_store(keys, cluster, space, vault)
