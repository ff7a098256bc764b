"""The controller of VaultSecrets: one of several leads, follows the objects and their Secrets, and resolves them."""

from kilde.core.secrets.opening import Render
from kilde.engine.derived.election import VAULT_SECRETS as LEASE
from kilde.engine.derived.election import Election
from kilde.engine.derived.following import Following
from kilde.engine.derived.secret_writer import Tell
from kilde.engine.vault.resolver import VAULT_SECRETS, Resolver, TellVersions
from kilde.engine.vault.settings import VaultSecretSettings
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster
from kilde.ports.vault import Vault


class VaultSecretController:
    """`run` lasts until it is cancelled; `ready` is set once every VaultSecret was listed."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        vault: Vault,
        settings: VaultSecretSettings,
        *,
        render: Render,
        salt: bytes,
        tell: Tell,
        tell_versions: TellVersions,
    ) -> None:
        self.resolver = Resolver(
            cluster, clock, vault, settings, render=render, salt=salt, tell=tell, tell_versions=tell_versions
        )
        self._following = Following(
            cluster, clock, VAULT_SECRETS, self.resolver, namespaces=settings.namespaces, parallel=settings.parallel
        )
        self.election = Election(
            cluster, clock, settings.namespace, settings.identity, seconds=settings.lease, name=LEASE
        )
        self.ready = self._following.ready

    async def run(self) -> None:
        """Resolves while this controller leads."""
        await self.election.run(self._following.run)
