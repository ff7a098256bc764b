"""Validation of resource quotas and limit ranges."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    forbidden,
    invalid,
    required,
)
from kilde.kubeapi.resources.quota_names import STANDARD
from kilde.kubeapi.resources.validation.amounts import (
    can_be_promised,
    check_any_resource_name,
    check_resource_name,
    is_counted,
)
from kilde.kubeapi.resources.validation.fields import (
    IMMUTABLE,
    NOT_NEGATIVE,
    get,
    items,
    quantity,
)
from kilde.kubeapi.resources.validation.names import qualified_name

_LIMIT_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
_SCOPES = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
)
_CONFLICTS = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_EXISTING = frozenset(_SCOPES) - {"PriorityClass", "VolumeAttributesClass"}
_ONLY_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating,"
    " ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_OF_PODS = frozenset(
    {"pods", "cpu", "memory", *(f"{side}.{name}" for side in ("requests", "limits") for name in ("cpu", "memory"))}
)
_OF_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})
_OF_BEST_EFFORT = frozenset({"pods"})


def check_quota(quota: Object) -> Iterator[Cause]:
    """What is wrong with a ResourceQuota."""
    hard, scopes = get(quota, "spec", "hard", default={}), get(quota, "spec", "scopes", default=[])
    for name in sorted(hard):
        yield from _quota_amount(name, hard[name], f"spec.hard[{name}]")
    yield from _quota_scopes(scopes, hard)
    yield from _scope_selector(quota, hard)


def _quota_amount(name: str, amount: Json, at: str) -> Iterator[Cause]:
    yield from check_any_resource_name(name, at)
    if "/" not in name and name not in STANDARD and not name.startswith(("requests.hugepages-", "hugepages-")):
        yield invalid(at, name, "must be a standard resource for quota")
    found = quantity(amount)
    if found is None:
        return
    if found.value < 0:
        yield invalid(at, found.text, NOT_NEGATIVE)
    if is_counted(name) and found.value.denominator != 1:
        yield invalid(at, found.text, "must be an integer")


def _quota_scopes(scopes: Sequence[str], hard: Mapping[str, Any]) -> Iterator[Cause]:
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", list(scopes), "unsupported scope")
        for name in hard:
            if name in STANDARD and name not in _allowed(scope):
                yield invalid("spec.scopes", list(scopes), "unsupported scope applied to resource")
    for pair in _CONFLICTS:
        if set(scopes).issuperset(pair):
            yield invalid("spec.scopes", list(scopes), "conflicting scopes")


def _scope_selector(quota: Object, hard: Mapping[str, Any]) -> Iterator[Cause]:
    """The real paths have no index."""
    at, seen = "spec.scopeSelector.matchExpressions", set[str]()
    for _, one in items(quota, "spec", "scopeSelector", "matchExpressions"):
        scope = one.get("scopeName") or ""
        if scope not in _SCOPES:
            yield invalid(f"{at}.scopeName", scope, "unsupported scope")
        for name in sorted(hard):
            if name in STANDARD and name not in _allowed(scope):
                held = get(quota, "spec", "scopeSelector", "matchExpressions", default=[])
                yield invalid(at, _selector_as_held(held), "unsupported scope applied to resource")
        yield from _scope_values(one, scope, at)
        seen.add(scope)
    for pair in _CONFLICTS:
        if seen.issuperset(pair):
            yield invalid(at, get(quota, "spec", "scopes"), "conflicting scopes")


def _scope_values(one: Object, scope: str, at: str) -> Iterator[Cause]:
    operator, values = one.get("operator") or "", one.get("values") or []
    if scope in _EXISTING and operator != "Exists":
        yield invalid(f"{at}.operator", operator, _ONLY_EXISTS)
    if operator in ("In", "NotIn"):
        if not values:
            words = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            yield required(f"{at}.values", words)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            words = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(f"{at}.values", values, words)
    else:
        yield invalid(f"{at}.operator", operator, "not a valid selector operator")


def _selector_as_held(expressions: Sequence[Object]) -> Struct:
    """A scope selector as the server holds it: Go's names and order."""
    names = {"ScopeName": "scopeName", "Operator": "operator", "Values": "values"}
    return Struct({"MatchExpressions": [Struct({n: one.get(k) for n, k in names.items()}) for one in expressions]})


def _allowed(scope: str) -> frozenset[str]:
    """The standard resources that a scope can be applied to."""
    if scope == "BestEffort":
        return _OF_BEST_EFFORT
    if scope == "VolumeAttributesClass":
        return _OF_CLAIMS
    return _OF_PODS if scope in _SCOPES else STANDARD


def check_quota_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ResourceQuota: its scopes stay, however often each is named."""
    yield from check_quota(new)
    if {*get(new, "spec", "scopes", default=[])} != {*get(old, "spec", "scopes", default=[])}:
        yield invalid("spec.scopes", get(new, "spec", "scopes"), IMMUTABLE)


def check_quota_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of a ResourceQuota: amounts as in its spec."""
    for side in ("hard", "used"):
        for name, amount in get(new, "status", side, default={}).items():
            yield from _quota_amount(name, amount, f"status.{side}[{name}]")


def check_limit_range(obj: Object) -> Iterator[Cause]:
    """What is wrong with a LimitRange: each amount of known resources, min ≤ defaultRequest ≤ default ≤ max."""
    seen: set[str] = set()
    for index, limit in items(obj, "spec", "limits"):
        at, kind = f"spec.limits[{index}]", limit.get("type") or ""
        faults = qualified_name(kind)
        yield from (invalid(f"{at}.type", kind, text) for text in faults)
        if not faults and "/" not in kind and kind not in _LIMIT_TYPES:
            yield invalid(f"{at}.type", kind, "must be a standard limit type or fully qualified")
        if kind in seen:
            yield Cause(f"{at}.type", "FieldValueDuplicate", f'Duplicate value: "{kind}"')
        seen.add(kind)
        sides = ("max", "min") if kind == "Pod" else ("max", "min", "default", "defaultRequest")
        for side in sides[:2]:
            yield from _limited_names(limit, side, kind, at)
        for key in ("default", "defaultRequest") if kind == "Pod" else ():
            if limit.get(key):
                yield forbidden(f"{at}.{key}", "may not be specified when `type` is 'Pod'")
        for side in sides[2:]:
            yield from _limited_names(limit, side, kind, at)
        if kind == "PersistentVolumeClaim" and not any("storage" in (limit.get(key) or {}) for key in ("min", "max")):
            yield required(
                f"{at}.limits", "either minimum or maximum storage value is required, but neither was provided"
            )
        yield from _limited_names(limit, "maxLimitRequestRatio", kind, at)
        told = {side: limit.get(side) or {} for side in (*sides, "maxLimitRequestRatio")}
        for name in dict.fromkeys(name for amounts in told.values() for name in amounts):
            yield from _limit_order(told, name, at)


def _limited_names(limit: Object, side: str, kind: str, at: str) -> Iterator[Cause]:
    check = check_resource_name if kind in ("Pod", "Container") else check_any_resource_name
    for name in limit.get(side) or {}:
        yield from check(name, f"{at}.{side}[{name}]")


# lower bound, upper bound, the side that is blamed, the side whose value is shown, what is said
_PAIRS = (
    ("min", "max", "min", "min", "min value {a} is greater than max value {b}"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "defaultRequest",
        "min value {a} is greater than default request value {b}",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "defaultRequest",
        "default request value {a} is greater than max value {b}",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        "default request value {a} is greater than default limit value {b}",
    ),
    ("min", "default", "default", "min", "min value {a} is greater than default value {b}"),
    ("default", "max", "default", "max", "default value {a} is greater than max value {b}"),
)


def _limit_order(limit: Object, name: str, at: str) -> Iterator[Cause]:
    """What is wrong with the amounts of one resource beside each other."""
    amounts = {side: None if values.get(name) is None else quantity(values[name]) for side, values in limit.items()}
    for low, high, blamed, told, words in _PAIRS:
        a, b = amounts.get(low), amounts.get(high)
        if a is not None and b is not None and a.value > b.value:
            yield invalid(f"{at}.{blamed}[{name}]", limit[told][name], words.format(a=a.text, b=b.text))
    ratio, least, most = (amounts.get(side) for side in ("maxLimitRequestRatio", "min", "max"))
    where = f"{at}.maxLimitRequestRatio[{name}]"
    if ratio is not None and ratio.value < 1:
        yield invalid(where, ratio.text, f"ratio {ratio.text} is less than 1")
    if ratio is not None and least is not None and most is not None and least.value:
        quotient = most.value / least.value
        if ratio.value > quotient:
            yield invalid(where, ratio.text, f"ratio {ratio.text} is greater than max/min = {float(quotient):.6f}")
    given, asked = amounts.get("default"), amounts.get("defaultRequest")
    if given is not None and asked is not None and given.value != asked.value and not can_be_promised(name):
        words = f"default value {given.text} must equal to defaultRequest value {asked.text} in {name}"
        yield invalid(f"{at}.defaultRequest[{name}]", asked.text, words)
