"""DaemonSets: the annotation that counts generations of the template."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_GENERATION = "deprecated.daemonset.template.generation"


class DaemonSets(Strategy):
    """Goes up by one with each change of the template."""

    def complete(self, obj: Object) -> None:
        meta = obj["metadata"]
        if _GENERATION not in (meta.get("annotations") or {}):
            _set(obj, 0)

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        _set(obj, 1)

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        if call.subresource:
            return
        before = (old["metadata"].get("annotations") or {}).get(_GENERATION, "1")
        count = int(before) if before.isdecimal() else 1
        if (new.get("spec") or {}).get("template") != (old.get("spec") or {}).get("template"):
            count += 1
        _set(new, count)


def _set(obj: Object, count: int) -> None:
    meta = obj["metadata"]
    meta["annotations"] = {**(meta.get("annotations") or {}), _GENERATION: str(count)}
