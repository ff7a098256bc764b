"""Reads a Flux installation: lists at whatever version the cluster serves, no writes, no Secrets."""

from kilde.core.basics.values import Object
from kilde.core.migrate.flux import FluxInstallation
from kilde.core.migrate.flux.moving import is_writer
from kilde.core.migrate.flux.reading import Place, place
from kilde.engine.migration.reading import DEPLOYMENTS, PODS, Reader, workload
from kilde.ports.cluster import Cluster, Resource

_SOURCES = ("GitRepository", "HelmRepository", "OCIRepository", "Bucket", "HelmChart", "ExternalArtifact")
_OTHERS = {
    "image.toolkit.fluxcd.io": ("ImageRepository", "ImagePolicy", "ImageUpdateAutomation"),
    "notification.toolkit.fluxcd.io": ("Alert", "Provider", "Receiver"),
}
GROUPS = {"Kustomization": "kustomize.toolkit.fluxcd.io", "HelmRelease": "helm.toolkit.fluxcd.io"}
_SOURCE_GROUP = "source.toolkit.fluxcd.io"
_PART_OF = "app.kubernetes.io/part-of=flux"


async def kinds_that_count(cluster: Cluster) -> list[Resource]:
    """Flux's kinds that write objects, and those of its sources, as far as the cluster serves them."""
    discovery = await cluster.discovery()
    kinds = [*((group, kind) for kind, group in GROUPS.items()), *((_SOURCE_GROUP, kind) for kind in _SOURCES)]
    found = (discovery.resource(group, kind) for group, kind in kinds)
    return [resource for resource in found if resource is not None]


async def read_flux(cluster: Cluster, namespace: str, where: str) -> FluxInstallation:
    """All that there is of Flux, in all namespaces. Raises ClusterError."""
    reader, discovery = Reader(cluster), await cluster.discovery()

    async def listed(group: str, kind: str) -> list[Object]:
        resource = discovery.resource(group, kind)
        return await reader.list(resource) if resource is not None else []

    sources: dict[Place, Object] = {}
    for kind in _SOURCES:
        sources |= {place(body): body for body in await listed(_SOURCE_GROUP, kind)}
    others = {
        kind: count for group, kinds in _OTHERS.items() for kind in kinds if (count := len(await listed(group, kind)))
    }
    kustomizations = await listed(GROUPS["Kustomization"], "Kustomization")
    releases = await listed(GROUPS["HelmRelease"], "HelmRelease")
    writers = [body for body in await reader.list(DEPLOYMENTS, selector=_PART_OF) if is_writer(body)]
    spaces = sorted({place(body).namespace for body in writers})
    pods = {space: await reader.list(PODS, space) for space in spaces}
    return FluxInstallation(
        cluster=where,
        namespace=namespace,
        kustomizations=kustomizations,
        releases=releases,
        sources=sources,
        others=others,
        workloads=tuple(workload(body, pods[place(body).namespace]) for body in writers),
        unread=tuple(reader.unread),
    )
