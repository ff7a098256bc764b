"""`kilde appset generate`: what a set would make, without a controller, and without a cluster where its generators need none."""

import asyncio
import os
from collections.abc import Sequence

import msgspec

from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.web_client import WebClient
from kilde.core.apps.cluster_secrets import SELECTOR
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object
from kilde.core.sets.application_set import read_application_set
from kilde.core.sets.generating import generate
from kilde.core.sets.outside import KnownCluster
from kilde.core.source.credentials import choose
from kilde.engine.fleet.applications import CONFIG_MAPS, CREDENTIALS_SELECTOR, SECRETS
from kilde.engine.fleet.clusters import by_name, read_known
from kilde.engine.sets.outside import PortsOutside
from kilde.engine.tasks import TaskOwner
from kilde.ports.cluster import Resource
from kilde.ports.sources import Credentials
from kilde.wiring.cluster import open_cluster
from kilde.wiring.settings import LookSettings
from kilde.wiring.sourcing import open_sources


class _Cluster:
    """The cluster, opened when a generator first needs it."""

    def __init__(self, settings: LookSettings) -> None:
        self._settings = settings
        self._opened: KubeCluster | None = None

    async def get(self) -> KubeCluster:
        if self._opened is None:
            self._opened = open_cluster(self._settings.kubeconfig, context=self._settings.context)
        return self._opened

    async def listed(self, resource: Resource, selector: str = "") -> list[Object]:
        cluster = await self.get()
        return [
            msgspec.json.decode(raw)
            for raw in await cluster.list(resource, self._settings.namespace, label_selector=selector)
        ]

    async def clusters(self) -> Sequence[KnownCluster]:
        return by_name(read_known(await self.listed(SECRETS, SELECTOR)))

    async def credentials(self, url: str, project: str) -> Credentials:
        """From the cluster that was named; where none was, git asks as for anybody."""
        if self._settings.kubeconfig is None:
            return Credentials()
        secrets, maps = await self.listed(SECRETS, CREDENTIALS_SELECTOR), await self.listed(CONFIG_MAPS)
        return choose(url, secrets, maps, project=project)

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()


async def generated(settings: LookSettings, body: Object) -> tuple[Object, ...]:
    """The Applications that an ApplicationSet would make now. Raises KildeError with what failed."""
    clock, cluster = SystemClock(), _Cluster(settings)
    web = WebClient(AwsIdentities(clock, os.environ))
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    sources = open_sources(settings.data_dir, "git-cli", clock)
    meta = {**(body.get("metadata") or {})}
    owner = read_application_set(
        {**body, "metadata": {**meta, "namespace": meta.get("namespace") or settings.namespace}}
    )
    fetched: set[str] = set()

    async def fetch(url: str, project: str) -> None:
        if url not in fetched:
            await sources.fetch(url, await cluster.credentials(url, project))
            fetched.add(url)

    try:
        async with TaskOwner() as tasks:
            outside = PortsOutside(
                namespace=settings.namespace,
                own_namespace=owner.namespace,
                cluster=cluster.get,
                sources=sources,
                web=web,
                clock=clock,
                fetch=fetch,
                clusters=cluster.clusters,
                start=tasks.start,
            )
            made = await asyncio.to_thread(generate, owner, outside)
    finally:
        await sources.close()
        await web.close()
        await cluster.close()
    if made.error:
        raise KildeError(made.error, about=f"ApplicationSet {owner.name}")
    return made.applications
