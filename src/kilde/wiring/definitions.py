"""What Kilde needs to find in a cluster: its definitions, put there or waited for."""

import asyncio

import structlog

from kilde import crds
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import INSTALL_CRDS, ClusterError
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_WAIT_FOR_KINDS = Backoff(first=0.1, factor=1.5, ceiling=10.0)


async def install_definitions(cluster: Cluster, namespace: str) -> None:
    """Puts the CustomResourceDefinitions and the namespace of the applications into a cluster that is ours alone."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await cluster.apply(_NAMESPACES, space, manager="kilde")
    for definition in crds.definitions():
        await cluster.apply(_DEFINITIONS, definition, manager="kilde")


async def await_kinds(cluster: Cluster) -> None:
    """Waits until Applications are served; says once what is missing."""
    failures = 0
    while True:
        try:
            if (await cluster.discovery(refresh=True)).resource("argoproj.io", "Application") is not None:
                return
            problem = f"the cluster does not serve Applications; install them with: {INSTALL_CRDS}"
        except ClusterError as error:
            if error.status in (401, 403):
                raise
            problem = str(error)
        failures += 1
        if failures in (1, 20):
            log.warning("waiting for the cluster", problem=problem)
        await asyncio.sleep(_WAIT_FOR_KINDS.delay(failures))
