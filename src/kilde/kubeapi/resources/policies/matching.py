"""Whether a policy or a binding is about a request (apiserver's pkg/admission/plugin/policy/matching)."""

from collections.abc import Mapping, Sequence
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.selector import label_selector
from kilde.kubeapi.resources.policies.request import EXEMPT, Request


def matches(constraints: Json, request: Request, *, needs_rules: bool) -> bool:
    """Whether match constraints include a request; without any, all is included (but a policy needs rules)."""
    found: Mapping[str, Any] = constraints or {}
    if request.resource.plural in EXEMPT and request.resource.group == "admissionregistration.k8s.io":
        return False
    rules = found.get("resourceRules") or ()
    if any(_rule(rule, request) for rule in found.get("excludeResourceRules") or ()):
        return False
    if (needs_rules or rules) and not any(_rule(rule, request) for rule in rules):
        return False
    return _namespace(found.get("namespaceSelector"), request) and _object(found.get("objectSelector"), request)


def is_about(webhook: Json, request: Request) -> bool:
    """Whether a webhook's rules and selectors include a request."""
    rules = {"resourceRules": webhook.get("rules") or ()}
    selectors = {key: webhook.get(key) for key in ("namespaceSelector", "objectSelector")}
    return matches({**rules, **selectors}, request, needs_rules=True)


def _rule(rule: Mapping[str, Any], request: Request) -> bool:
    resource = request.resource
    scope = rule.get("scope") or "*"
    if scope != "*" and (scope == "Namespaced") != resource.namespaced:
        return False
    names = rule.get("resourceNames") or ()
    return (
        _any(rule.get("operations"), request.operation)
        and _any(rule.get("apiGroups"), resource.group)
        and _any(rule.get("apiVersions"), resource.version)
        and any(_resource(pattern, request) for pattern in rule.get("resources") or ())
        and (not names or request.name in names)
    )


def _any(allowed: Sequence[str] | None, word: str) -> bool:
    return any(one in ("*", word) for one in allowed or ())


def _resource(pattern: str, request: Request) -> bool:
    """`pods`, `pods/status`, `pods/*`, `*/scale`, `*` (no sub-resources), `*/*`."""
    resource, slash, sub = pattern.partition("/")
    if resource not in ("*", request.resource.plural):
        return False
    return sub in ("*", request.sub_resource) if slash else not request.sub_resource


def _namespace(selector: Json, request: Request) -> bool:
    if not selector:
        return True
    subject = (
        request.object if request.resource.kind == "Namespace" and not request.resource.group else request.namespace
    )
    return True if subject is None else _selects(selector, subject)


def _object(selector: Json, request: Request) -> bool:
    if not selector:
        return True
    return any(_selects(selector, one) for one in (request.object, request.old) if one is not None)


def _selects(selector: Json, obj: Object) -> bool:
    try:
        return label_selector(dict(selector)).matches((obj.get("metadata") or {}).get("labels") or {})
    except InvalidInput:
        return False
