"""Reviews: questions about access that are answered, not stored (authentication.k8s.io and authorization.k8s.io)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.access.authorizer import Authorizer, Decision
from kilde.kubeapi.access.review_selectors import unread
from kilde.kubeapi.access.tokens import ISSUER, Tokens
from kilde.kubeapi.call import Call, User
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.metadata import ordered
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.resources.causes import Cause, Struct, invalid, required
from kilde.kubeapi.verbs.admit import owned
from kilde.kubeapi.world import World

_NO_KIND = Named("authorization.k8s.io", "")


class Reviews:
    """Answers by the name of the resource that was posted to."""

    def __init__(self, world: World, authorizer: Authorizer, tokens: Tokens) -> None:
        self._world, self._authorizer, self._tokens = world, authorizer, tokens
        self._answers: Mapping[str, Callable[[Call, Object], Object]] = {
            "selfsubjectaccessreviews": self._self_access,
            "subjectaccessreviews": self._access,
            "localsubjectaccessreviews": self._local_access,
            "selfsubjectrulesreviews": self._rules,
            "selfsubjectreviews": self._self,
            "tokenreviews": self._token,
        }

    def answers(self, call: Call) -> bool:
        """Whether this resource is a review."""
        return call.kind.resource.group in ("authentication.k8s.io", "authorization.k8s.io") and not call.subresource

    def answer(self, call: Call, body: Object) -> Object:
        """The review with its status."""
        resource = call.kind.resource
        meta = _metadata(call, body)
        head: Object = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        rest = {key: value for key, value in body.items() if key not in ("kind", "apiVersion", "metadata", "status")}
        status = self._answers[resource.plural](call, body)
        now = self._world.now()
        if resource.plural == "selfsubjectreviews":  # made anew by a real server, which owns nothing of it
            return {**head, "metadata": {**meta, "creationTimestamp": now}, **rest, "status": status}
        if resource.plural == "selfsubjectrulesreviews":  # made anew, too: what was asked is not told
            return {**head, "metadata": {}, "spec": {}, "status": status}
        return {**owned(call, None, {**head, **rest}, now), "status": status}

    def _self(self, call: Call, body: Object) -> Object:
        return {"userInfo": user_info(call.user)}

    def _self_access(self, call: Call, body: Object) -> Object:
        spec = body.get("spec") or {}
        _check([*_wrong_attributes(spec), *_wrong_metadata(body)])
        return _status(self._authorizer.decide(call.user, _attributes(spec)), spec)

    def _access(self, call: Call, body: Object) -> Object:
        spec = body.get("spec") or {}
        _check([*_wrong_attributes(spec), *_wrong_subject(spec), *_wrong_metadata(body)])
        return self._decided(spec)

    def _local_access(self, call: Call, body: Object) -> Object:
        spec = body.get("spec") or {}
        wrong = [*_wrong_attributes(spec), *_wrong_subject(spec), *_wrong_metadata(body, call.namespace)]
        _check([*wrong, *_wrong_place(spec, call.namespace)])
        return self._decided(spec)

    def _decided(self, spec: Object) -> Object:
        groups = tuple(str(group) for group in spec.get("groups") or ())
        return _status(self._authorizer.decide(User(str(spec.get("user") or ""), groups), _attributes(spec)), spec)

    def _rules(self, call: Call, body: Object) -> Object:
        namespace = str((body.get("spec") or {}).get("namespace") or "")
        if not namespace:
            raise failures.bad_request("no namespace on request")
        rules = self._authorizer.rules_for(call.user, namespace)
        resources = [
            _picked(rule, "apiGroups", "resources", "resourceNames") for rule in rules if rule.get("resources")
        ]
        paths = [_picked(rule, "nonResourceURLs") for rule in rules if rule.get("nonResourceURLs")]
        return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}

    def _token(self, call: Call, body: Object) -> Object:
        spec = body.get("spec") or {}
        token, audiences = str(spec.get("token") or ""), [str(each) for each in spec.get("audiences") or ()]
        if not token:
            raise failures.bad_request("token is required for TokenReview in authentication")
        claims, user = self._tokens.claims(token), self._tokens.user(token, self._world.time())
        if claims is None or user is None:
            return {"user": {}, "error": "invalid bearer token"}
        wanted, own = audiences or [ISSUER], claims["aud"]
        shared = [each for each in wanted if each in own]
        if not shared:
            listed = ", ".join(failures.quoted(each) for each in own)
            asked = ", ".join(failures.quoted(each) for each in wanted)
            why = f"token audiences [{listed}] is invalid for the target audiences [{asked}]"
            return {"user": {}, "error": f"[invalid bearer token, {why}]"}
        return {"authenticated": True, "user": user_info(user), "audiences": shared}


def _metadata(call: Call, body: Object) -> Object:
    kept = {key: value for key, value in (body.get("metadata") or {}).items() if key in ("name", "labels") and value}
    return kept | ({"namespace": call.namespace} if call.namespace else {})


def _picked(rule: Object, *fields: str) -> Object:
    return {field: rule[field] for field in ("verbs", *fields) if rule.get(field)}


def user_info(user: User) -> Object:
    """A user as UserInfo."""
    found: dict[str, Any] = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    found["extra"] = {key: list(values) for key, values in user.extra}
    return {key: value for key, value in found.items() if value}


def _status(decision: Decision, spec: Object) -> Object:
    found: Object = {"allowed": decision.allowed}
    if decision.reason:
        found["reason"] = decision.reason
    wrong = [*([decision.trouble] if decision.errors else []), *unread(spec.get("resourceAttributes") or {})]
    if wrong:
        found["evaluationError"] = "; ".join(wrong)
    return found


def _attributes(spec: Object) -> Attributes:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is None:
        return Attributes(str((path or {}).get("verb") or ""), path=str((path or {}).get("path") or ""))
    fields = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(*(str(resource.get(field) or "") for field in fields))


def _wrong_attributes(spec: Object) -> Iterator[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        shown = Struct({"Path": path.get("path") or "", "Verb": path.get("verb") or ""})
        yield invalid("spec.nonResourceAttributes", shown, "cannot be specified in combination with resourceAttributes")
    if resource is None and path is None:
        words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid("spec.resourceAttributes", None, words)
    for key in ("fieldSelector", "labelSelector"):
        selector, at = (resource or {}).get(key), f"spec.resourceAttributes.{key}"
        if selector is not None:
            yield from _wrong_selector(selector, at)


def _wrong_selector(selector: Object, at: str) -> Iterator[Cause]:
    raw, requirements = selector.get("rawSelector"), selector.get("requirements") or ()
    if raw and requirements:
        yield invalid(f"{at}.rawSelector", raw, "may not specified at the same time as requirements")
    if not raw and not requirements:
        yield required(f"{at}.requirements", f"when {at} is specified, requirements or rawSelector is required")


def _wrong_subject(spec: Object) -> Iterator[Cause]:
    if not spec.get("user") and not spec.get("groups"):
        yield invalid("spec.user", "", "at least one of user or group must be specified")


def _wrong_metadata(body: Object, namespace: str = "") -> Iterator[Cause]:
    """A review has no name; where it is `namespace` that it is in, that alone."""
    meta = {key: value for key, value in (body.get("metadata") or {}).items() if value and key != "managedFields"}
    if meta.keys() - ({"namespace"} if namespace else set()):
        shown = Struct(ordered({"metadata": {**meta, **({"namespace": namespace} if namespace else {})}})["metadata"])
        yield invalid("metadata", shown, "must be empty except for namespace" if namespace else "must be empty")


def _wrong_place(spec: Object, namespace: str) -> Iterator[Cause]:
    resource = spec.get("resourceAttributes")
    if resource is not None and str(resource.get("namespace") or "") != namespace:
        where = "spec.resourceAttributes.namespace"
        yield invalid(where, str(resource.get("namespace") or ""), "must match metadata.namespace")
    path = spec.get("nonResourceAttributes")
    if path is not None:
        shown = Struct({"Path": path.get("path") or "", "Verb": path.get("verb") or ""})
        yield invalid("spec.nonResourceAttributes", shown, "disallowed on this kind of request")


def _check(wrong: list[Cause]) -> None:
    """422 for what is wrong."""
    if wrong:
        raise failures.invalid(_NO_KIND, wrong)
