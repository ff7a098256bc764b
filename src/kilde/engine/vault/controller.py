"""The controller of VaultSecrets: one of several leads, follows the objects and their Secrets, and resolves them."""

from kilde.engine.derived.election import VAULT_SECRETS as LEASE
from kilde.engine.derived.election import Election
from kilde.engine.derived.following import Following
from kilde.engine.vault.resolver import VAULT_SECRETS, Resolver
from kilde.engine.vault.settings import VaultSecretSettings
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster


class VaultSecretController:
    """`run` lasts until it is cancelled; `ready` is set once every VaultSecret was listed."""

    def __init__(self, cluster: Cluster, clock: Clock, resolver: Resolver, settings: VaultSecretSettings) -> None:
        self.resolver = resolver
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
