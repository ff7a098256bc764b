"""Endpoints: deprecated, and every request is told so."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

DEPRECATED = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"


class Endpoints(Strategy):
    """Warns."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        call.warn(DEPRECATED)

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        call.warn(DEPRECATED)
