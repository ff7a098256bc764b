"""The cluster Secrets, followed: the one place that reads them, for destinations of applications and for generators of sets.

What opens a cluster stays in the Secret as it came; everybody else sees names, servers, labels and annotations.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from kilde.core.apps.cluster_secrets import SELECTOR, read_cluster
from kilde.core.apps.clusters import Clusters, KnownCluster
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.basics.values import Object
from kilde.core.sets.failures import GeneratorFailed
from kilde.engine.fleet.applications import CONFIG_MAPS, SECRETS
from kilde.ports.cluster import Cluster, EventType

log = structlog.get_logger()

_PATIENCE = 20.0  # seconds until the first list of cluster Secrets must be here
_ENABLED = "cluster.inClusterEnabled"
_decode = msgspec.json.Decoder(dict).decode


class ClusterSecrets:
    """The cluster Secrets of one namespace. `known` is set once there is something to say of them, `synced` once they were listed."""

    def __init__(self, cluster: Cluster, namespace: str, on_change: Callable[[], None]) -> None:
        self._cluster, self._namespace, self._on_change = cluster, namespace, on_change
        self._secrets: dict[str, Object] = {}
        self._settings: Mapping[str, Any] = {}
        self.clusters = Clusters(problem="the cluster Secrets have not been read yet")
        self.known, self.synced = asyncio.Event(), asyncio.Event()
        self.error = ""

    def secret(self, server: str) -> Object | None:
        """The Secret of a server: the first by name, where there are several."""
        return next(
            (self._secrets[name] for name in sorted(self._secrets) if _is_of(self._secrets[name], server)), None
        )

    def configured(self, data: Mapping[str, Any]) -> None:
        """What `argocd-cm` says."""
        self._settings = data
        self._told()

    async def for_generators(self) -> list[KnownCluster]:
        """The clusters there are, once they are known. GeneratorFailed while they are not: an empty list would delete."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.synced.wait()
        except TimeoutError:
            raise GeneratorFailed(f"the cluster Secrets cannot be read: {self.error or 'no answer'}") from None
        return by_name(self.clusters.known)

    async def follow(self) -> None:
        """Follows them for ever."""
        listed: set[str] = set()
        async for event in self._cluster.watch(SECRETS, self._namespace, label_selector=SELECTOR):
            if event.type is EventType.BROKEN:
                listed, self.error = set(), event.error
                self._told()
            elif event.type is EventType.SYNCED:
                for name in set(self._secrets) - listed:
                    del self._secrets[name]
                listed = set()
                self.synced.set()
                self._told()
            elif event.type is EventType.DELETED:
                self._secrets.pop(event.name, None)
                self._told()
            else:
                self._secrets[event.name] = _decode(event.raw)
                if event.type is EventType.LISTED:
                    listed.add(event.name)
                else:
                    self._told()

    def _told(self) -> None:
        """Before the first list nothing is told of but that there is none; what was known stays known while the watch is broken."""
        problem = "" if self.synced.is_set() else f"the cluster Secrets cannot be read: {self.error or 'no answer yet'}"
        secrets = [self._secrets[name] for name in sorted(self._secrets)] if self.synced.is_set() else []
        self.clusters = clusters_of(secrets, self._settings, problem=problem)
        if self.synced.is_set() or self.error:
            self.known.set()
        self._on_change()


def clusters_of(secrets: Iterable[Object], settings: Mapping[str, Any], *, problem: str = "") -> Clusters:
    """The clusters of these Secrets. `settings`: the data of argocd-cm."""
    return Clusters(
        known=tuple(read_known(secrets)),
        in_cluster=str(settings.get(_ENABLED, "true")).lower() != "false",
        problem=problem,
    )


async def load_clusters(cluster: Cluster, namespace: str) -> tuple[Clusters, list[Object]]:
    """The clusters and their Secrets, read once. Without the right to read the Secrets, none but the one we are in. Raises ClusterError."""
    raw = await cluster.get(CONFIG_MAPS, namespace, "argocd-cm")
    settings = (_decode(raw).get("data") or {}) if raw else {}
    try:
        listed = await cluster.list(SECRETS, namespace, label_selector=SELECTOR)
    except ClusterError as error:
        if error.status not in (401, 403):
            raise
        return clusters_of((), settings, problem=f"the cluster Secrets cannot be read: {error}"), []
    secrets = sorted(map(_decode, listed), key=lambda one: str(one["metadata"]["name"]))
    return clusters_of(secrets, settings), secrets


def read_known(secrets: Iterable[Object]) -> list[KnownCluster]:
    """The clusters of these Secrets, those left out that name no server."""
    found = []
    for secret in secrets:
        try:
            found.append(read_cluster(secret))
        except InvalidInput as error:
            log.warning("a cluster Secret cannot be used", problem=str(error))
    return found


def secret_of(secrets: Iterable[Object], server: str) -> Object | None:
    """The first of the Secrets that is of that server."""
    return next((one for one in secrets if _is_of(one, server)), None)


def _is_of(secret: Object, server: str) -> bool:
    try:
        return read_cluster(secret).server == server
    except InvalidInput:
        return False


def by_name(clusters: Sequence[KnownCluster]) -> list[KnownCluster]:
    """One cluster for each name, in their order; of two with one name the later Secret's."""
    found = {cluster.name: cluster for cluster in clusters}
    return [found[name] for name in sorted(found)]
