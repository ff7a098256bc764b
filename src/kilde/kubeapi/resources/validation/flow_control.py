"""Validation of FlowSchemas and PriorityLevelConfigurations (flowcontrol.apiserver.k8s.io)."""

import math
from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    forbidden,
    invalid,
    invalid_unshown,
    not_supported,
    required,
)
from kilde.kubeapi.resources.validation.fields import get, items, named
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain

_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_MOST_QUEUES = 10_000_000
_MOST_PRECEDENCE = 10_000
_HASH_BITS = 60
_NAMESPACE_WORDS = "each member of this list must be '*' or a DNS-1123 label; "
_ZERO_SHARES = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
# The subject of a rule: kind → (its field, the other fields in the order in which they are looked at).
_SUBJECTS = {
    "ServiceAccount": ("serviceAccount", ("user", "group")),
    "User": ("user", ("serviceAccount", "group")),
    "Group": ("group", ("serviceAccount", "user")),
}


def _all_rules(*names: str) -> list[Json]:
    """The rules of the two FlowSchemas that every server has: everything that these groups ask for."""
    return [
        {
            "subjects": [{"kind": "Group", "group": {"name": name}} for name in names],
            "resourceRules": [
                {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
            ],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        }
    ]


_FIXED_SCHEMAS: dict[str, Object] = {
    "exempt": {
        "priorityLevelConfiguration": {"name": "exempt"},
        "matchingPrecedence": 1,
        "rules": _all_rules("system:masters"),
    },
    "catch-all": {
        "priorityLevelConfiguration": {"name": "catch-all"},
        "matchingPrecedence": 10_000,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": _all_rules("system:unauthenticated", "system:authenticated"),
    },
}
_CATCH_ALL_LEVEL: Object = {
    "type": "Limited",
    "limited": {"nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": {"type": "Reject"}},
}


def check_flow_schema(obj: Object) -> Iterator[Cause]:
    """What is wrong with a FlowSchema."""
    spec, name = obj.get("spec") or {}, get(obj, "metadata", "name", default="")
    at, precedence = "spec.matchingPrecedence", spec.get("matchingPrecedence") or 0
    if precedence <= 0:
        yield invalid(at, precedence, "must be a positive value")
    if precedence > _MOST_PRECEDENCE:
        yield invalid(at, precedence, f"must not be greater than {_MOST_PRECEDENCE}")
    if precedence == 1 and name != "exempt":
        yield invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
        shown = Struct({"Type": method.get("type") or ""})
        yield not_supported("spec.distinguisherMethod.type", shown, ("ByNamespace", "ByUser"))
    level = get(spec, "priorityLevelConfiguration", "name", default="")
    if not level:
        yield required("spec.priorityLevelConfiguration.name", "must reference a priority level")
    yield from named(level, dns_subdomain, "spec.priorityLevelConfiguration.name")
    for index, rule in items(spec, "rules"):
        yield from _rule(rule, f"spec.rules[{index}]")
    if name in _FIXED_SCHEMAS and _plain(spec) != _plain(_FIXED_SCHEMAS[name]):
        yield invalid_unshown("spec", f"spec of '{name}' must equal the fixed value")
    yield from _conditions(obj)


def _plain(value: Json) -> Json:
    """A value without what is empty, which Go's comparison does not tell from what is absent."""
    if isinstance(value, dict):
        found = {key: _plain(one) for key, one in value.items()}
        return {key: one for key, one in found.items() if one not in (None, "", [], {}, False)}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _rule(rule: Object, at: str) -> Iterator[Cause]:
    if not rule.get("subjects"):
        yield required(f"{at}.subjects", "subjects must contain at least one value")
    for index, subject in items(rule, "subjects"):
        yield from _subject(subject, f"{at}.subjects[{index}]")
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        yield required(at, "at least one of resourceRules and nonResourceRules has to be non-empty")
    for index, one in items(rule, "resourceRules"):
        yield from _resource_rule(one, f"{at}.resourceRules[{index}]")
    for index, one in items(rule, "nonResourceRules"):
        yield from _url_rule(one, f"{at}.nonResourceRules[{index}]")


def _subject(subject: Object, at: str) -> Iterator[Cause]:
    kind = subject.get("kind") or ""
    if kind not in _SUBJECTS:
        yield not_supported(f"{at}.kind", kind, sorted(_SUBJECTS))
        return
    key, others = _SUBJECTS[kind]
    about = subject.get(key)
    if about is None:
        yield required(f"{at}.{key}", f"{key} is required when subject kind is '{kind}'")
    else:
        name = about.get("name") or ""
        if not name:
            yield required(f"{at}.{key}.name")
        elif kind == "ServiceAccount" and name != "*":
            yield from named(name, dns_subdomain, f"{at}.{key}.name")
        if kind == "ServiceAccount":
            if not about.get("namespace"):
                yield required(f"{at}.{key}.namespace", "must specify namespace for service account")
            yield from named(about.get("namespace"), dns_label, f"{at}.{key}.namespace")
    for other in others:
        if subject.get(other) is not None:
            word = other[0].upper() + other[1:]
            yield forbidden(f"{at}.{other}", f"{other} is forbidden when subject kind is not '{word}'")


def _verbs(rule: Object, at: str) -> Iterator[Cause]:
    verbs = rule.get("verbs") or []
    if not verbs:
        yield required(f"{at}.verbs", "verbs must contain at least one value")
    elif "*" in verbs:
        yield from _alone(verbs, f"{at}.verbs", "verbs")
    elif not set(verbs) <= set(_VERBS):
        yield not_supported(f"{at}.verbs", verbs, _VERBS)


def _alone(values: Sequence[str], at: str, what: str) -> Iterator[Cause]:
    """`*` stands alone."""
    if "*" in values and len(values) > 1:
        yield invalid(at, list(values), f"if '*' is present, must not specify other {what}")


def _url_rule(rule: Object, at: str) -> Iterator[Cause]:
    yield from _verbs(rule, at)
    urls, where = rule.get("nonResourceURLs") or [], f"{at}.nonResourceURLs"
    if not urls:
        yield required(where, "nonResourceURLs must contain at least one value")
    elif "*" in urls:
        yield from _alone(urls, where, "non-resource URLs")
    else:
        for index, url in enumerate(urls):
            words = _url_fault(url)
            if words:
                yield invalid(f"{where}[{index}]", url, words)


def _url_fault(url: str) -> str:
    """What is wrong with a path that is no resource's; "" if nothing is."""
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    faults = (
        (not url.startswith("/"), "must start with slash"),
        (" " in url, "must not contain white-space"),
        ("//" in url, "must not contain double slash"),
        (url.count("*") > 1 or ("*" in url and not url.endswith("/*")), "wildcard can only do suffix matching"),
    )
    return next((words for is_so, words in faults if is_so), "")


def _resource_rule(rule: Object, at: str) -> Iterator[Cause]:
    yield from _verbs(rule, at)
    for key, one, others in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        values = rule.get(key) or []
        if not values:
            yield required(f"{at}.{key}", f"resource rules must supply at least one {one}")
        yield from _alone(values, f"{at}.{key}", others)
    namespaces, where = rule.get("namespaces") or [], f"{at}.namespaces"
    if not namespaces and not rule.get("clusterScope"):
        yield required(where, "resource rules that are not cluster scoped must supply at least one namespace")
    elif "*" in namespaces:
        yield from _alone(namespaces, where, "namespaces")
    else:
        for index, name in enumerate(namespaces):
            yield from (invalid(f"{where}[{index}]", name, _NAMESPACE_WORDS + text) for text in dns_label(name))


def _conditions(obj: Object) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, condition in items(obj, "status", "conditions"):
        kind, at = condition.get("type") or "", f"status.conditions[{index}].type"
        if kind in seen:
            yield duplicate(at, kind)
        if not kind:
            yield required(at)
        seen.add(kind)


def check_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with the status of either kind."""
    yield from _conditions(new)


def check_priority_level(obj: Object) -> Iterator[Cause]:
    """What is wrong with a PriorityLevelConfiguration."""
    spec, name = obj.get("spec") or {}, get(obj, "metadata", "name", default="")
    kind = spec.get("type") or ""
    if _ZERO_SHARES in get(obj, "metadata", "annotations", default={}):
        yield forbidden("metadata.annotations", f"annotation '{_ZERO_SHARES}' is forbidden")
    if (name == "exempt") != (kind == "Exempt"):
        yield invalid("spec.type", kind, "must be 'Exempt' if and only if `name` is 'exempt'")
    yield from _of_type(kind, spec)
    if name == "exempt" and (kind != "Exempt" or spec.get("limited") is not None):
        yield invalid_unshown("spec", "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value")
    elif name == "catch-all" and _plain(spec) != _plain(_CATCH_ALL_LEVEL):
        yield invalid_unshown("spec", "spec of 'catch-all' must equal the fixed value")
    yield from _conditions(obj)


def _of_type(kind: str, spec: Object) -> Iterator[Cause]:
    limited, exempt = spec.get("limited"), spec.get("exempt")
    if kind == "Exempt":
        if limited is not None:
            yield forbidden("spec.limited", "must be nil if the type is not Limited")
        if exempt is not None:
            yield from _shares(exempt, "spec.exempt")
            yield from _lendable(exempt, "spec.exempt")
    elif kind == "Limited":
        if exempt is not None:
            yield forbidden("spec.exempt", "must be nil if the type is Limited")
        if limited is None:
            yield required("spec.limited", "must not be empty when type is Limited")
        else:
            yield from _limited(limited, "spec.limited")
    elif kind:
        yield not_supported("spec.type", kind, ("Exempt", "Limited"))
    else:
        yield required("spec.type")


def _shares(level: Object, at: str) -> Iterator[Cause]:
    shares = level.get("nominalConcurrencyShares") or 0
    if shares < 0:
        yield invalid(f"{at}.nominalConcurrencyShares", shares, "must be a non-negative integer")


def _lendable(level: Object, at: str) -> Iterator[Cause]:
    percent = level.get("lendablePercent")
    if percent is not None and not 0 <= percent <= 100:
        yield invalid(f"{at}.lendablePercent", percent, "must be between 0 and 100, inclusive")


def _limited(level: Object, at: str) -> Iterator[Cause]:
    yield from _shares(level, at)
    yield from _limit_response(level.get("limitResponse") or {}, f"{at}.limitResponse")
    yield from _lendable(level, at)
    borrowed = level.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        yield invalid(f"{at}.borrowingLimitPercent", borrowed, "if specified, must be a non-negative integer")


def _limit_response(response: Object, at: str) -> Iterator[Cause]:
    kind, queuing = response.get("type") or "", response.get("queuing")
    if kind == "Reject":
        if queuing is not None:
            yield forbidden(f"{at}.queuing", "must be nil if limited.limitResponse.type is not Limited")
    elif kind == "Queue":
        if queuing is None:
            yield required(f"{at}.queuing", "must not be empty if limited.limitResponse.type is Limited")
        else:
            yield from _queuing(queuing, f"{at}.queuing")
    elif kind:
        yield not_supported(f"{at}.type", kind, ("Queue", "Reject"))
    else:
        yield required(f"{at}.type")


def _queuing(queuing: Object, at: str) -> Iterator[Cause]:
    length, queues, hand = (queuing.get(key) or 0 for key in ("queueLengthLimit", "queues", "handSize"))
    if length <= 0:
        yield invalid(f"{at}.queueLengthLimit", length, "must be positive")
    if queues <= 0:
        yield invalid(f"{at}.queues", queues, "must be positive")
    elif queues > _MOST_QUEUES:
        yield invalid(f"{at}.queues", queues, f"must not be greater than {_MOST_QUEUES}")
    if hand <= 0:
        yield invalid(f"{at}.handSize", hand, "must be positive")
    elif hand > queues:
        yield invalid(f"{at}.handSize", hand, f"should not be greater than queues ({queues})")
    elif math.ceil(math.log2(queues) * hand) > _HASH_BITS:
        words = (
            f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {_HASH_BITS}"
        )
        yield invalid(f"{at}.handSize", hand, words)
