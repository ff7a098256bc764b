"""What a command that looks at applications beside a running controller is told."""

from dataclasses import dataclass
from pathlib import Path

from kilde.core.secrets.vault.settings import VaultSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LookSettings:
    """The cluster, the namespace of its Applications, and where mirrors and the ledger are. `kubeconfig` None: as kubectl finds it."""

    data_dir: Path
    kubeconfig: Path | None = None
    context: str = ""
    namespace: str = "argocd"
    application_namespaces: str = ""  # where else Applications may be; "": as argocd-cmd-params-cm says
    vault: VaultSettings | None = None
