"""Entry: how a cluster is entered, from whatever the user has: flags, kubeconfig files, or the pod's service account."""

from collections.abc import Mapping
from pathlib import Path

from kilde.adapters.cluster import kubeconfig
from kilde.adapters.cluster.access import Access
from kilde.adapters.cluster.overrides import Overrides
from kilde.ports.clock import Clock


def access(
    file: Path | None, clock: Clock, env: Mapping[str, str], *, context: str = "", over: Overrides | None = None
) -> Access:
    """The Access; `file` None: KUBECONFIG, ~/.kube/config or the pod we run in. InvalidInput where there is nothing of it."""
    flags = over or Overrides()
    files = [file] if file is not None else kubeconfig.default_files(env)
    if file is None and not any(path.exists() for path in files):
        if flags.server:
            return flags.over(Access(server=flags.server))
        return flags.over(kubeconfig.in_cluster(clock, env))
    return flags.over(kubeconfig.load(files, clock, context=context, cluster=flags.cluster, user=flags.user))
