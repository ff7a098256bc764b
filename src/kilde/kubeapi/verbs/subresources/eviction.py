"""eviction: a pod is deleted unless a disruption budget forbids it."""

from kilde.core.basics.values import Object
from kilde.core.objects.selector import label_selector
from kilde.kubeapi import admission
from kilde.kubeapi.call import Call
from kilde.kubeapi.controllers.conditions import turn
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.options import delete_options
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs.admit import check_namespace, finished, owned
from kilde.kubeapi.verbs.delete import delete
from kilde.kubeapi.verbs.subresources.handler import SUCCESS, Handler, shown
from kilde.kubeapi.world import World

_BUDGETS = "poddisruptionbudgets.policy"
_WORDS = "Cannot evict pod as it would violate the pod's disruption budget."


class Eviction(Handler):
    """Asks the budgets that select the pod, takes one disruption from the one that allows it, and deletes."""

    def post(self, world: World, call: Call, body: Object) -> Object:
        body = admission.mutate_body(world, call, shown(call, body, "policy/v1", "Eviction", world.now()))
        if (body["metadata"].get("name") or "") != call.name:
            raise failures.bad_request("name in URL does not match name in Eviction object")
        check_namespace(world, call)
        admission.judge_body(world, call, body)
        existing = world.find(call.kind, call.namespace, call.name)
        if existing is None:
            raise failures.not_found(call.kind.about(call.name))
        options = delete_options({}, body.get("deleteOptions") or {})
        pod = existing.object()
        if not _free(pod):
            self._ask(world, call, existing, dry_run=options.dry_run or call.options.dry_run)
        delete(world, call, options)
        return SUCCESS

    def _ask(self, world: World, call: Call, pod: Record, *, dry_run: bool) -> None:
        found = [
            record
            for record in world.store.all(_BUDGETS, call.namespace)
            if label_selector((record.object().get("spec") or {}).get("selector")).matches(pod.labels)
        ]
        if len(found) > 1:
            text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise ApiError(500, "", text)  # told without a reason
        if not found:
            return
        budget = found[0].object()
        _check(budget)
        if not dry_run:
            _take_one(world, found[0], budget, pod.key.name)


def _take_one(world: World, record: Record, budget: Object, pod: str) -> None:
    """The budget allows one disruption less, which the API server writes down as anybody would."""
    kind, now = world.kinds.named(_BUDGETS), world.now()
    assert kind is not None
    status = dict(budget["status"])
    left = int(status.get("disruptionsAllowed") or 0) - 1
    status |= {"disruptionsAllowed": left, "disruptedPods": {**(status.get("disruptedPods") or {}), pod: now}}
    if not left:
        status["conditions"] = _none_left(status, now)
    call = Call(kind, record.key.namespace, record.key.name, "status", agent="kube-apiserver")
    world.store.put(record.key, finished(owned(call, budget, {**budget, "status": status}, now)))


def _none_left(status: Object, now: str) -> list[Object]:
    answer = {"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": ""}
    since = {"observedGeneration": status.get("observedGeneration") or 0, "lastTransitionTime": now}
    return turn(status.get("conditions"), answer | since)


def _free(pod: Object) -> bool:
    """A pod that has ended, never began or is going already needs no leave."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _check(budget: Object) -> None:
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(budget["metadata"].get("generation") or 0):
        what = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(what, retry=10)
    if int(status.get("disruptionsAllowed") or 0) <= 0:
        needs, has = int(status.get("desiredHealthy") or 0), int(status.get("currentHealthy") or 0)
        raise _too_many(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently")


def _too_many(cause: str, retry: int = 0) -> ApiError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    if retry:
        details["retryAfterSeconds"] = retry
    return ApiError(429, "TooManyRequests", _WORDS, details)
