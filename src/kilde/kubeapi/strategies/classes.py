"""Classes of which one may be the default: priorities and ingress classes; and limit ranges, which need no name."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_PRIORITIES = "priorityclasses.scheduling.k8s.io"
_INGRESS_CLASSES = "ingressclasses.networking.k8s.io"
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_OLD_CLASS = "kubernetes.io/ingress.class"


class LimitRanges(Strategy):
    """One without a name is named by chance."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        if not obj["metadata"].get("name"):
            obj["metadata"]["name"] = world.new_uid()


class PriorityClasses(Strategy):
    """There is one global default at most (admission plug-in Priority)."""

    def admit(self, world: World, call: Call, new: Object, old: Object | None) -> None:
        name = str(new["metadata"].get("name") or "")
        if call.subresource or not new.get("globalDefault"):
            return
        for record in world.store.all(_PRIORITIES):
            other = old is None or record.key.name != name
            if other and record.object().get("globalDefault"):
                why = f"PriorityClass {record.key.name} is already marked as default. Only one default can exist"
                raise failures.forbidden(call.kind.about(name), why)


class Ingresses(Strategy):
    """An ingress without a class gets the default one (admission plug-in DefaultIngressClass)."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        spec = obj.get("spec")
        if not isinstance(spec, dict) or spec.get("ingressClassName") is not None:
            return
        if _OLD_CLASS in (obj["metadata"].get("annotations") or {}):
            return
        found = [record.object()["metadata"] for record in world.store.all(_INGRESS_CLASSES)]
        marked = [meta for meta in found if (meta.get("annotations") or {}).get(_DEFAULT) == "true"]
        if marked:
            newest = max(meta["creationTimestamp"] for meta in marked)
            spec["ingressClassName"] = min(meta["name"] for meta in marked if meta["creationTimestamp"] == newest)
