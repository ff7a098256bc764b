"""Reaching: opens the clusters that cluster Secrets name."""

import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.access import Access, Refused
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.cluster_secret import access_of
from kilde.core.apps.application import Application
from kilde.core.apps.cluster_secrets import about_of, has_credentials, read_config
from kilde.core.apps.clusters import IN_CLUSTER, Clusters
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.engine.fleet.clusters import load_clusters, secret_of

_PROGRAMS = "KILDE_CLUSTER_EXEC"
_ANSWER = 30.0  # seconds, as Argo CD waits (ARGOCD_K8S_TCP_TIMEOUT and its kin)


def reacher(home: KubeCluster, *, programs: Collection[str] = ()) -> Callable[[Object], KubeCluster]:
    """What opens a Secret's cluster; `home` is the cluster of the Secrets. Nothing is asked of it yet.

    A Secret that cannot be used gives a client whose every call says why.
    """
    clock = SystemClock()
    aws = AwsIdentities(clock, os.environ)
    limits = replace(home.limits, answer=_ANSWER)

    def reach(secret: Object) -> KubeCluster:
        try:
            access = access_of(read_config(secret), home.access, clock, aws=aws, programs=programs)
        except InvalidInput as error:
            access = Access(server=IN_CLUSTER, credentials=Refused(error.what, about_of(secret), error.hint))
        return KubeCluster(access, clock, limits=limits)

    return reach


def programs_of_secrets() -> list[str]:
    """The credential plugins that cluster Secrets may run, for commands beside a controller."""
    return os.environ.get(_PROGRAMS, "").split()


class Destinations:
    """The clusters that applications deploy to, for a look from outside a running controller; `close` ends what was opened."""

    def __init__(self, home: KubeCluster, clusters: Clusters, secrets: Sequence[Object]) -> None:
        self._home, self.clusters, self._secrets = home, clusters, secrets
        self._reach = reacher(home, programs=programs_of_secrets())
        self._opened: dict[str, KubeCluster] = {}

    def at(self, server: str) -> KubeCluster:
        """The cluster of that server. InvalidInput where there is none."""
        secret = secret_of(self._secrets, server)
        if server != IN_CLUSTER and secret is None:
            hint = "look for its Secret, labelled argocd.argoproj.io/secret-type: cluster"
            raise InvalidInput("there is no such cluster any more", about=server or "destination", hint=hint)
        if secret is None or (server == IN_CLUSTER and not has_credentials(secret)):
            return self._home
        if server not in self._opened:
            self._opened[server] = self._reach(secret)
        return self._opened[server]

    def of(self, app: Application) -> KubeCluster:
        """The cluster of an application; that of the Applications where its destination is none (then it has problems)."""
        return self.at(app.destination.cluster.server) if app.destination.cluster.server else self._home

    async def close(self) -> None:
        for opened in self._opened.values():
            await opened.close()


@asynccontextmanager
async def destinations(home: KubeCluster, namespace: str) -> AsyncIterator[Destinations]:
    """Those that the Secrets of a namespace name. Raises ClusterError."""
    made = Destinations(home, *await load_clusters(home, namespace))
    try:
        yield made
    finally:
        await made.close()
