"""Autoscalers: v1 has parts of spec and status in annotations, which a write to the other part cannot change."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.resources.conversions.autoscalers import BEHAVIOR, CONDITIONS, CURRENT, METRICS, V1, swap
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World


class Autoscalers(Strategy):
    """Puts back the annotations that stand for what this endpoint cannot change."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        if obj["apiVersion"] == V1:
            swap(obj["metadata"], None, (CURRENT, CONDITIONS))

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        if new["apiVersion"] == V1:
            swap(new["metadata"], old["metadata"], (METRICS, BEHAVIOR) if call.subresource else (CURRENT, CONDITIONS))
