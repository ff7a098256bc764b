"""binding: a pod is given its node, once."""

from kilde.core.basics.values import Object
from kilde.kubeapi import admission
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.verbs.admit import check_namespace, finished
from kilde.kubeapi.verbs.subresources.handler import SUCCESS, Handler, shown
from kilde.kubeapi.world import World

_NO_NOMINEE = 35  # the minor from which a bound pod waits for no other node


class Binding(Handler):
    """Sets spec.nodeName and the condition PodScheduled (registry/core/pod/storage)."""

    def post(self, world: World, call: Call, body: Object) -> Object:
        return self.bind(world, call, call, body)

    def bind(self, world: World, asked: Call, call: Call, body: Object) -> Object:
        """Binds the pod of `call`. `asked` is the request as admission sees it: the old collection `bindings` is a resource."""
        body = admission.mutate_body(world, asked, shown(asked, body, "v1", "Binding", world.now()))
        if (body["metadata"].get("name") or "") != call.name:
            raise failures.bad_request("name in URL does not match name in Binding object")
        target = body.get("target") or {}
        if target.get("kind") not in (None, "", "Node"):
            kind = failures.quoted(str(target["kind"]))
            raise failures.unexplained(f'target.kind: Unsupported value: {kind}: supported values: "Node", "<empty>"')
        if not target.get("name"):
            raise failures.unexplained("target.name: Required value")
        check_namespace(world, call)
        admission.judge_body(world, asked, body)
        existing = world.find(call.kind, call.namespace, call.name)
        if existing is None:
            raise failures.not_found(call.kind.about(call.name))
        pod = existing.object()
        meta, node = pod["metadata"], pod["spec"].get("nodeName")
        about = Named("", "pods/binding", call.name)
        if body["metadata"].get("uid") not in (None, "", meta["uid"]):
            told = f"UID in precondition: {body['metadata']['uid']}, UID in object meta: {meta['uid']}"
            raise failures.conflict(about, f"Precondition failed: {told}")
        if meta.get("deletionTimestamp"):
            raise failures.conflict(about, f"pod {call.name} is being deleted, cannot be assigned to a host")
        if node:
            raise failures.conflict(about, f'pod {call.name} is already assigned to node "{node}"')
        if pod["spec"].get("schedulingGates"):
            raise failures.conflict(about, f"pod {call.name} has non-empty .spec.schedulingGates")
        if not call.options.dry_run:
            bound = _bound(pod, body, world.now(), nominated=world.release.number < _NO_NOMINEE)
            world.store.put(existing.key, finished(bound))  # nobody owns what it sets
        return SUCCESS


def _bound(pod: Object, binding: Object, now: str, *, nominated: bool) -> Object:
    """The pod on its node; `nominated`: it keeps the name of the one that it waited for."""
    pod["spec"]["nodeName"] = binding["target"]["name"]
    for kind in ("annotations", "labels"):
        extra = binding["metadata"].get(kind)
        if extra:
            pod["metadata"][kind] = {**(pod["metadata"].get(kind) or {}), **extra}
    status = pod.setdefault("status", {})
    if not nominated:
        status.pop("nominatedNodeName", None)
    conditions = [condition for condition in status.get("conditions") or () if condition.get("type") != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    status["conditions"] = [*conditions, scheduled]
    return pod
