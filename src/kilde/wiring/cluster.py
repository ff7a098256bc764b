"""A client for the cluster that a command names."""

import os
from collections.abc import Sequence
from pathlib import Path

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import entry
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.limits import ClientLimits
from kilde.adapters.cluster.overrides import Overrides


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
