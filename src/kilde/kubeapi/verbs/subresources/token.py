"""token: a ServiceAccount's own credentials, for a while."""

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.ref import split_api_version
from kilde.kubeapi import admission
from kilde.kubeapi.access.tokens import ISSUER
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.verbs.admit import check_namespace
from kilde.kubeapi.verbs.subresources.handler import Handler, shown
from kilde.kubeapi.world import World

_GROUP, _VERSION, _KIND = "authentication.k8s.io", "authentication.k8s.io/v1", "TokenRequest"
_DEFAULT_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 3600, 600, 1 << 32
_BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


class Token(Handler):
    """TokenRequest (registry/core/serviceaccount/storage/token.go)."""

    def post(self, world: World, call: Call, body: Object) -> Object:
        check_namespace(world, call)
        full = apply_defaults(shown(call, _with_seconds(body), _VERSION, _KIND, call.memory.once("now", world.now)))
        asked = admission.mutate_body(world, call, full)
        record = world.find(call.kind, call.namespace, call.name)
        if record is None:
            raise failures.not_found(call.kind.about(call.name))
        account, now = record.object(), call.memory.once("time", world.time)
        asked = _completed(call, asked, account, now)
        spec = asked["spec"]
        seconds = int(spec["expirationSeconds"])
        _check(seconds)
        admission.judge_body(world, call, asked)
        bound = _bound(world, call, spec.get("boundObjectRef"))
        audiences = [str(each) for each in spec["audiences"]]
        token = world.tokens.issue(call.namespace, account, audiences=audiences, seconds=seconds, now=now, bound=bound)
        return {**asked, "status": {"token": token, "expirationTimestamp": rfc3339(now + seconds)}}


def _with_seconds(body: Object) -> Object:
    """What was asked for with the default of its one field that has one."""
    spec = dict(body.get("spec") or {})
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = _DEFAULT_SECONDS
    return {**body, "spec": spec}


def _completed(call: Call, asked: Object, account: Object, now: float) -> Object:
    """What was asked for with what the account says: 422 or 409 where that is another one's."""
    meta, own = dict(asked["metadata"]), account["metadata"]
    for key, what in (("name", "name"), ("namespace", "namespace")):
        if meta.get(key) not in (None, "", own[key]):
            told = f"Invalid value: {failures.quoted(meta[key])}: must match the service account {what} if specified"
            cause = failures.cause("FieldValueInvalid", told, f"metadata.{key}")
            raise failures.invalid(Named(_GROUP, _KIND, call.name), [cause])
    if meta.get("uid") not in (None, "", own["uid"]):
        why = (
            f"the UID in the token request ({meta['uid']}) does not match the UID of the service account ({own['uid']})"
        )
        raise failures.conflict(Named(_GROUP, _KIND, call.name), why)
    meta |= {"name": own["name"], "namespace": own["namespace"], "uid": own["uid"], "creationTimestamp": rfc3339(now)}
    spec = {**asked["spec"], "audiences": asked["spec"].get("audiences") or [ISSUER]}
    return {**apply_defaults({**asked, "spec": spec, "status": {}}), "metadata": meta}


def _check(seconds: int) -> None:
    what = ""
    if seconds < _LEAST_SECONDS:
        what = "may not specify a duration less than 10 minutes"
    elif seconds > _MOST_SECONDS:
        what = "may not specify a duration larger than 2^32 seconds"
    if what:
        found = failures.cause("FieldValueInvalid", f"Invalid value: {seconds}: {what}", "spec.expirationSeconds")
        raise failures.invalid(Named(_GROUP, _KIND), [found])


def _bound(world: World, call: Call, reference: Object | None) -> Object | None:
    """The object a token ends with; 404 if it is not there, 409 if it is another."""
    if not reference:
        return None
    kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
    group, version = split_api_version(str(reference.get("apiVersion") or ""))
    resource = "" if group else _BOUND.get(kind, "")
    if not resource:
        raise failures.bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    if not name:
        raise failures.bad_request("Name parameter required.")
    record = world.store.get(Key(resource, "" if kind == "Node" else call.namespace, name))
    if record is None:
        raise failures.not_found(Named("", resource, name))
    found = record.object()
    if kind == "Pod" and (found.get("spec") or {}).get("serviceAccountName") != call.name:
        who = f"cannot bind token for serviceaccount {failures.quoted(call.name)}"
        raise failures.bad_request(f"{who} to pod running with different serviceaccount name.")
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record."
        raise failures.conflict(Named("", kind, name), f"{why} The object might have been deleted and then recreated")
    return {"kind": kind, "name": name, "uid": uid}
