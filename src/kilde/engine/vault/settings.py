"""The settings of the controller of VaultSecrets, as one frozen value."""

from dataclasses import dataclass, field

from kilde.core.basics.backoff import Backoff
from kilde.core.secrets.vault.place import Place
from kilde.core.secrets.vault.rules import Rule, default_reads
from kilde.core.secrets.vault.vault_secret import LEAST


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSecretSettings:
    """`reads`: which entries a namespace may have read. `reserved`: below these nobody reads. `least`: seconds, the shortest interval."""

    namespace: str = "kube-system"  # of the lease
    namespaces: tuple[str, ...] = ()
    reads: tuple[Rule, ...] = field(default_factory=default_reads)
    reserved: tuple[Place, ...] = ()
    mounts: tuple[str, ...] = ()
    least: float = LEAST
    retries: Backoff = field(default_factory=lambda: Backoff(first=2.0))  # after Vault did not give what was asked
    parallel: int = 8
    manager: str = "kilde"
    identity: str = ""
    lease: float = 15.0
