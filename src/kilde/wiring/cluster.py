"""A client for the cluster that a command names, and what Kilde needs to find in it."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from kilde import crds
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import entry
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.limits import ClientLimits
from kilde.adapters.cluster.overrides import Overrides
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError
from kilde.ports.cluster import Resource

log = structlog.get_logger()

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_WAIT_FOR_KINDS = Backoff(first=0.1, factor=1.5, ceiling=10.0)


def open_cluster(
    file: Path | None, *, context: str = "", writes: int = 0, acting: str = "", groups: Sequence[str] = ()
) -> KubeCluster:
    """A client for a kubeconfig file; None: KUBECONFIG, ~/.kube/config or the service account of the pod we run in.

    `writes` a minute are its budget; 0: as many as there are. `acting`: the user, with these groups, as whom it acts (impersonation).
    """
    clock = SystemClock()
    limits = ClientLimits(writes=writes)
    as_whom = (("Impersonate-User", acting), *(("Impersonate-Group", group) for group in groups)) if acting else ()
    access = entry.access(file, clock, os.environ, context=context, over=Overrides(impersonate=as_whom))
    return KubeCluster(access, clock, limits=limits)


async def install_definitions(cluster: KubeCluster, namespace: str) -> None:
    """Puts the CustomResourceDefinitions and the namespace of the applications into a cluster that is ours alone."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await cluster.apply(_NAMESPACES, space, manager="kilde")
    for definition in crds.definitions():
        await cluster.apply(_DEFINITIONS, definition, manager="kilde")


async def await_kinds(cluster: KubeCluster) -> None:
    """Waits until Applications are served; says once what is missing."""
    failures = 0
    while True:
        try:
            if (await cluster.discovery(refresh=True)).resource("argoproj.io", "Application") is not None:
                return
            problem = (
                "the cluster does not serve Applications; install them with: kilde install --crds | kubectl apply -f -"
            )
        except ClusterError as error:
            if error.status in (401, 403):
                raise
            problem = str(error)
        failures += 1
        if failures in (1, 20):
            log.warning("waiting for the cluster", problem=problem)
        await asyncio.sleep(_WAIT_FOR_KINDS.delay(failures))
