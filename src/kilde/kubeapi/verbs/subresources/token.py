"""token: a ServiceAccount's own credentials, for a while."""

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.access.tokens import ISSUER
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.verbs.admit import check_namespace
from kilde.kubeapi.verbs.subresources.handler import Handler
from kilde.kubeapi.world import World

_DEFAULT_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 3600, 600, 1 << 32
_BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


class Token(Handler):
    """TokenRequest (registry/core/serviceaccount/storage/token.go)."""

    def post(self, world: World, call: Call, body: Object) -> Object:
        check_namespace(world, call)
        record = world.find(call.kind, call.namespace, call.name)
        if record is None:
            raise failures.not_found(call.kind.about(call.name))
        spec = body.get("spec") or {}
        seconds = int(spec.get("expirationSeconds") or _DEFAULT_SECONDS)
        _check(seconds)
        audiences = [str(each) for each in spec.get("audiences") or ()] or [ISSUER]
        bound = _bound(world, call, spec.get("boundObjectRef"))
        now, account = world.time(), record.object()
        token = world.tokens.issue(call.namespace, account, audiences=audiences, seconds=seconds, now=now, bound=bound)
        meta = {"name": call.name, "namespace": call.namespace, "creationTimestamp": rfc3339(now)}
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {**meta, "uid": account["metadata"]["uid"]},
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {"token": token, "expirationTimestamp": rfc3339(now + seconds)},
        }


def _check(seconds: int) -> None:
    what = ""
    if seconds < _LEAST_SECONDS:
        what = "may not specify a duration less than 10 minutes"
    elif seconds > _MOST_SECONDS:
        what = "may not specify a duration larger than 2^32 seconds"
    if what:
        found = failures.cause("FieldValueInvalid", f"Invalid value: {seconds}: {what}", "spec.expirationSeconds")
        raise failures.invalid(Named("authentication.k8s.io", "TokenRequest"), [found])


def _bound(world: World, call: Call, reference: Object | None) -> Object | None:
    """The object a token ends with; 404 if it is not there, 409 if it is another."""
    if not reference:
        return None
    kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
    resource = _BOUND.get(kind)
    if resource is None:
        raise failures.bad_request(
            f"cannot bind token for serviceaccount {failures.quoted(call.name)} to an object of kind {kind}"
        )
    record = world.store.get(Key(resource, "" if kind == "Node" else call.namespace, name))
    if record is None:
        raise failures.not_found(Named("", resource, name))
    uid = record.object()["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record."
        raise failures.conflict(
            Named("", resource, name), f"{why} The object might have been deleted and then recreated"
        )
    return {"kind": kind, "name": name, "uid": uid}
