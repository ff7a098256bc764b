"""Jobs: the selector and labels that tie pods to their job (registry/batch/job/strategy.go)."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_UID, _NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_OLD_UID, _OLD_NAME = "controller-uid", "job-name"


class Jobs(Strategy):
    """Generates what a client did not choose by hand."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        spec, meta = obj.get("spec") or {}, obj["metadata"]
        if spec.get("manualSelector") or not isinstance(spec.get("template"), dict):
            return
        name, uid = meta.get("name") or "", meta["uid"]
        template = spec["template"] = dict(spec["template"])
        template_meta = template["metadata"] = dict(template.get("metadata") or {})
        given = template_meta.get("labels")
        labels = {**(given or {}), _NAME: name, _OLD_NAME: name, _UID: uid, _OLD_UID: uid}
        if given is not None and (not meta.get("labels") or meta["labels"] is given):
            meta["labels"] = dict(
                labels
            )  # the template's by default: one map; of a template that had none they come with reading
        template_meta["labels"] = labels
        selector = dict(spec.get("selector") or {})
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), _UID: uid}
        spec["selector"] = selector
