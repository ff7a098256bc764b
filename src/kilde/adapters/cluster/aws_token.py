"""AwsToken: the bearer token of a cluster of EKS, an address of AWS's token service that bears its own proof (`awsAuthConfig`)."""

import asyncio

from kilde.adapters.cluster.access import Credential
from kilde.core.apps.cluster_secrets import AwsCluster
from kilde.core.basics.errors import ClusterError
from kilde.ports.aws import Aws, AwsError
from kilde.ports.clock import Clock


class AwsToken:
    """Makes a new one when the one there is ends, or when the server refused it."""

    def __init__(self, cluster: AwsCluster, aws: Aws, clock: Clock) -> None:
        self._cluster, self._aws, self._clock = cluster, aws, clock
        self._lock = asyncio.Lock()
        self._held, self._ends_at = Credential(), 0.0

    async def current(self, *, refused: Credential | None = None) -> Credential:
        async with self._lock:
            if self._clock.now() >= self._ends_at or refused == self._held:
                of = self._cluster
                try:
                    token, ends_at = await self._aws.cluster_token(of.name, role=of.role, profile=of.profile)
                except AwsError as error:
                    raise ClusterError(str(error), about=f"AWS identity for cluster {of.name[:100]}") from None
                self._held, self._ends_at = Credential(f"Bearer {token}"), ends_at
            return self._held
