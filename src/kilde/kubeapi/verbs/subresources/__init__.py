"""Sub-resources whose body is not the object itself, one file each; HANDLERS is the registry."""

from collections.abc import Mapping

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.verbs.subresources.binding import Binding
from kilde.kubeapi.verbs.subresources.eviction import Eviction
from kilde.kubeapi.verbs.subresources.handler import Handler
from kilde.kubeapi.verbs.subresources.scale import Scale
from kilde.kubeapi.verbs.subresources.token import Token
from kilde.kubeapi.world import World

HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("pods", "binding"): Binding(),
    ("pods", "eviction"): Eviction(),
    ("serviceaccounts", "token"): Token(),
}
_SCALE = Scale()


def handler_of(call: Call) -> Handler | None:
    """Who answers this sub-resource; None where its body is the object itself."""
    if call.subresource == "scale":
        return _SCALE
    return HANDLERS.get((call.kind.storage, call.subresource))


def post(world: World, call: Call, body: Object) -> Object:
    """POST to a sub-resource: what it answers."""
    handler = handler_of(call)
    if handler is None:
        raise failures.method_not_allowed()
    return handler.post(world, call, body)
