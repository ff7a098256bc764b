"""What particular kinds do beyond the rules of all: one file a kind or family; STRATEGIES is the registry."""

from collections.abc import Mapping

from kilde.kubeapi.strategies.access import Bindings, Roles
from kilde.kubeapi.strategies.autoscalers import Autoscalers
from kilde.kubeapi.strategies.certificates import SigningRequests
from kilde.kubeapi.strategies.classes import Ingresses, LimitRanges, PriorityClasses
from kilde.kubeapi.strategies.definitions import Definitions
from kilde.kubeapi.strategies.jobs import Jobs
from kilde.kubeapi.strategies.namespaces import Namespaces
from kilde.kubeapi.strategies.nodes import Nodes
from kilde.kubeapi.strategies.pods import Pods
from kilde.kubeapi.strategies.services import Services
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.strategies.volumes import AttributesClasses, Claims, Volumes
from kilde.kubeapi.strategies.workloads import DaemonSets

_PLAIN = Strategy()
_RBAC = "rbac.authorization.k8s.io"

STRATEGIES: Mapping[str, Strategy] = {
    f"clusterrolebindings.{_RBAC}": Bindings(),
    f"clusterroles.{_RBAC}": Roles(),
    f"rolebindings.{_RBAC}": Bindings(),
    f"roles.{_RBAC}": Roles(),
    "certificatesigningrequests.certificates.k8s.io": SigningRequests(),
    "customresourcedefinitions.apiextensions.k8s.io": Definitions(),
    "daemonsets.apps": DaemonSets(),
    "horizontalpodautoscalers.autoscaling": Autoscalers(),
    "ingresses.networking.k8s.io": Ingresses(),
    "priorityclasses.scheduling.k8s.io": PriorityClasses(),
    "limitranges": LimitRanges(),
    "jobs.batch": Jobs(),
    "namespaces": Namespaces(),
    "nodes": Nodes(),
    "persistentvolumeclaims": Claims(),
    "persistentvolumes": Volumes(),
    "pods": Pods(),
    "services": Services(),
    "volumeattributesclasses.storage.k8s.io": AttributesClasses(),
}


def strategy_of(storage: str) -> Strategy:
    """The strategy of a resource; the plain one where it has none of its own."""
    return STRATEGIES.get(storage, _PLAIN)


__all__ = ["STRATEGIES", "Strategy", "strategy_of"]
