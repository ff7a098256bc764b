"""The store that `--seal-keys` names."""

from collections.abc import Mapping
from pathlib import Path

from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.cluster_secrets import ClusterSecretKeys
from kilde.core.secrets.key_home import KeyHome
from kilde.ports.cluster import Cluster
from kilde.ports.keys import KeyStore


def open_key_store(
    home: KeyHome,
    passphrase: bytes,
    cluster: Cluster,
    namespace: str,
    *,
    prefix: str = "sealed-secrets-key",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> KeyStore:
    """`prefix`, `labels` and `annotations` are those of new Secrets, and mean nothing to a file."""
    if home.file:
        return open_key_file(home, passphrase)
    return ClusterSecretKeys(cluster, namespace, prefix=prefix, labels=labels, annotations=annotations)


def open_key_file(home: KeyHome, passphrase: bytes) -> KeyStore:
    """A file of keys; no cluster is needed for it."""
    from kilde.adapters.keys.encrypted_file import EncryptedFileKeys

    return EncryptedFileKeys(Path(home.file), passphrase, SystemClock())
