"""Nodes: a new one takes no pods until it is ready (admission plug-in TaintNodesByCondition)."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class Nodes(Strategy):
    """Adds the taint; the node lifecycle controller takes it away."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        spec = obj["spec"] = dict(obj.get("spec") or {})
        taints = list(spec.get("taints") or [])
        if _NOT_READY not in taints:
            spec["taints"] = [*taints, dict(_NOT_READY)]
