"""Clusters: those that applications may deploy to, as Argo CD's cluster Secrets and `argocd-cm` say, and how a destination finds its own.

The words of a refusal are Argo CD's (util/argo, GetDestinationCluster). What opens a cluster is not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

IN_CLUSTER = "https://kubernetes.default.svc"
IN_CLUSTER_NAME = "in-cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCluster:
    """One cluster, without what opens it. `namespaces`: the only ones that are looked at, where there are some.

    `cluster_resources`: objects of no namespace are looked at though there are.
    """

    name: str
    server: str
    project: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    cluster_resources: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.server})" if self.name else self.server

    def unmanaged(self, kind: str, namespace: str, name: str) -> str:
        """Why an object of that kind may not be looked at, in Argo CD's words; "" where it may."""
        if not self.namespaces:
            return ""
        if not namespace:
            return (
                ""
                if self.cluster_resources
                else f'Cluster level {kind} "{name}" can not be managed when in namespaced mode'
            )
        return "" if namespace in self.namespaces else f'Namespace "{namespace}" for {kind} "{name}" is not managed'


HOME = KnownCluster(name=IN_CLUSTER_NAME, server=IN_CLUSTER)
"""The cluster of the Applications, where no Secret says otherwise."""
NOWHERE = KnownCluster(name="", server="")
"""Of a destination that is no cluster."""
UNTOLD = KnownCluster(name="", server="", project="?")
"""Of a destination whose cluster cannot be told now, since the Secrets cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """All of them, in the order of their Secrets. `problem`: why the Secrets are not known; then only our own cluster is."""

    known: tuple[KnownCluster, ...] = ()
    in_cluster: bool = True  # argocd-cm's cluster.inClusterEnabled
    problem: str = ""

    def find(self, server: str, name: str) -> tuple[KnownCluster, str]:
        """The cluster of a destination, and why there is none ("" where there is)."""
        if server and name:
            return NOWHERE, f"application destination can't have both name and server defined: {name} {server}"
        if not server and not name:
            return NOWHERE, "Destination server missing from app spec"
        return self._by_server(server) if server else self._by_name(name)

    def _by_server(self, server: str) -> tuple[KnownCluster, str]:
        wanted = server.rstrip("/")
        found = next((one for one in self.known if one.server == wanted), HOME if wanted == IN_CLUSTER else None)
        if found is not None and (wanted != IN_CLUSTER or self.in_cluster):
            return found, ""
        why = "is disabled" if found is not None else "not found"
        text = f'error getting cluster by server "{server}": rpc error: code = NotFound desc = cluster "{server}" {why}'
        return self._missing(text)

    def _by_name(self, name: str) -> tuple[KnownCluster, str]:
        found = {one.server: one for one in reversed(self.known) if one.name == name}
        if not found and name == IN_CLUSTER_NAME:
            found = {IN_CLUSTER: self.home}
        if not self.in_cluster:
            found.pop(IN_CLUSTER, None)
        if len(found) > 1:
            return NOWHERE, f"there are {len(found)} clusters with the same name: [{' '.join(sorted(found))}]"
        if not found:
            return self._missing(f"there are no clusters with this name: {name}")
        return next(iter(found.values())), ""

    def _missing(self, text: str) -> tuple[KnownCluster, str]:
        return (UNTOLD, f"{text} ({self.problem})") if self.problem else (NOWHERE, text)

    @property
    def home(self) -> KnownCluster:
        """The cluster of the Applications, as its Secret has it where there is one."""
        return next((one for one in self.known if one.server == IN_CLUSTER), HOME)

    def of_project(self, project: str) -> tuple[KnownCluster, ...]:
        """Those that are a project's own."""
        return tuple(one for one in self.known if one.project == project)


ONLY_HOME = Clusters()
