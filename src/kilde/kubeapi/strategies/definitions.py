"""CustomResourceDefinitions: their status is the server's."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.resources import custom
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World


class Definitions(Strategy):
    """A new definition has nothing accepted yet; a changed one may store one more version."""

    def complete(self, obj: Object) -> None:
        spec = custom.with_defaults(obj).get("spec")
        if spec:
            obj["spec"] = spec

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        obj["status"] = custom.initial_status(obj)

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        if not call.subresource:
            new["status"] = custom.with_stored_version(new.get("status") or {}, new)

    def problems(self, world: World, call: Call, new: Object, old: Object | None) -> list[Cause]:
        if call.subresource:
            return []
        return custom.check_definition(new) if old is None else custom.check_definition_update(new, old)
