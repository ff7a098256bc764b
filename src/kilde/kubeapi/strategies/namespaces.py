"""Namespaces: what keeps one from vanishing before its content, and its phase."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_FINALIZER = "kubernetes"


class Namespaces(Strategy):
    """spec.finalizers change through /finalize only."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        obj["status"] = {"phase": "Active"}
        spec = obj["spec"] = dict(obj.get("spec") or {})
        found = list(spec.get("finalizers") or [])
        spec["finalizers"] = found if _FINALIZER in found else [*found, _FINALIZER]

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        if call.subresource == "finalize":
            finalizers = (new.get("spec") or {}).get("finalizers")
            new["spec"] = {"finalizers": finalizers} if finalizers else {}
            new["status"] = old.get("status") or {}
            new["metadata"] = {**old["metadata"], "managedFields": new["metadata"].get("managedFields")}
        elif not call.subresource:
            new["spec"] = dict(old.get("spec") or {})
