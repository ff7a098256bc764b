"""Whether, and as which resource, a policy, binding or webhook is about a request (apiserver, pkg/admission/plugin/policy/matching)."""

from collections.abc import Mapping, Sequence
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.selector import label_selector
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.policies.request import EXEMPT, Request


def matched(constraints: Json, request: Request, *, needs_rules: bool) -> Resource | None:
    """As which resource match constraints include a request; without any, all is included (but a policy needs rules)."""
    found: Mapping[str, Any] = constraints or {}
    if request.resource.plural in EXEMPT and request.resource.group == "admissionregistration.k8s.io":
        return None
    if not (_namespace(found.get("namespaceSelector"), request) and _object(found.get("objectSelector"), request)):
        return None
    fuzzy = found.get("matchPolicy", "Equivalent") != "Exact"
    if _first(found.get("excludeResourceRules") or (), request, fuzzy=fuzzy):
        return None
    rules = found.get("resourceRules") or ()
    return _first(rules, request, fuzzy=fuzzy) if needs_rules or rules else request.resource


def is_about(webhook: Json, request: Request) -> Resource | None:
    """As which resource a webhook's rules and selectors include a request."""
    rules = {"resourceRules": webhook.get("rules") or ()}
    others = {key: webhook[key] for key in ("namespaceSelector", "objectSelector", "matchPolicy") if key in webhook}
    return matched({**rules, **others}, request, needs_rules=True)


def _first(rules: Sequence[Mapping[str, Any]], request: Request, *, fuzzy: bool) -> Resource | None:
    """What the rules name: the resource that was asked for, before any other that shows the same, in the order of the rules."""
    if any(_rule(rule, request, request.resource) for rule in rules):
        return request.resource
    if not fuzzy:
        return None
    return next((other for rule in rules for other in request.others if _rule(rule, request, other)), None)


def _rule(rule: Mapping[str, Any], request: Request, resource: Resource) -> bool:
    scope = rule.get("scope") or "*"
    if scope != "*" and (scope == "Namespaced") != resource.namespaced:
        return False
    names = rule.get("resourceNames") or ()
    return (
        _any(rule.get("operations"), request.operation)
        and _any(rule.get("apiGroups"), resource.group)
        and _any(rule.get("apiVersions"), resource.version)
        and any(_resource(pattern, resource, request.sub_resource) for pattern in rule.get("resources") or ())
        and (not names or request.name in names)
    )


def _any(allowed: Sequence[str] | None, word: str) -> bool:
    return any(one in ("*", word) for one in allowed or ())


def _resource(pattern: str, resource: Resource, sub_resource: str) -> bool:
    """`pods`, `pods/status`, `pods/*`, `*/scale`, `*` (no sub-resources), `*/*`."""
    plural, slash, sub = pattern.partition("/")
    if plural not in ("*", resource.plural):
        return False
    return sub in ("*", sub_resource) if slash else not sub_resource


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
