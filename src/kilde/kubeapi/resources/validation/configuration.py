"""Validation of config maps, secrets, quotas, limit ranges, events, leases and priorities."""

import binascii
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from kilde.core.basics.values import Json, Object
from kilde.core.objects.null_bytes import NullBytes
from kilde.kubeapi.logic.json_words import json_problem
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from kilde.kubeapi.resources.validation.containers import check_resources
from kilde.kubeapi.resources.validation.fields import (
    IMMUTABLE,
    NOT_NEGATIVE,
    get,
    items,
    named,
    quantity,
    unchanged,
)
from kilde.kubeapi.resources.validation.metadata import check_labels
from kilde.kubeapi.resources.validation.names import config_key, dns_label, qualified_name
from kilde.kubeapi.resources.validation.scheduling import check_tolerations

_LARGEST = 1024 * 1024
_SEALED = "field is immutable when `immutable` is set"
_REDACTED = "<secret contents redacted>"
_ACCOUNT = "kubernetes.io/service-account.name"
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
_COUNTED = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
)
_COMPUTE = ("cpu", "ephemeral-storage", "memory")
_STANDARD = frozenset(
    {
        *_COUNTED,
        *_COMPUTE,
        *(f"{side}.{name}" for side in ("requests", "limits") for name in _COMPUTE),
        "requests.storage",
        "storage",
    }
)
_WHOLE = frozenset(_COUNTED)
_OF_PODS = frozenset(
    {"pods", "cpu", "memory", *(f"{side}.{name}" for side in ("requests", "limits") for name in ("cpu", "memory"))}
)
_OF_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})
_OF_BEST_EFFORT = frozenset({"pods"})
_USER_PRIORITY = 1_000_000_000


def _size(data: Json) -> int:
    """Bytes in base64 values, decoded."""
    return sum(max(0, len(value) * 3 // 4 - value[-2:].count("=")) for value in (data or {}).values())


def check_config_map(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for name, values in (("data", data), ("binaryData", binary)):
        for key in sorted(values):
            yield from (invalid(f"{name}[{key}]", key, text) for text in config_key(key))
    for key in sorted(data):
        if key in binary:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    if sum(len(value.encode()) for value in data.values()) + _size(binary) > _LARGEST:
        yield too_long("[]", _LARGEST)


def check_config_map_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ConfigMap: none, once it is immutable."""
    yield from _sealed(new, old, ("data", "binaryData"))
    yield from check_config_map(new)


def _sealed(new: Object, old: Object, fields: Sequence[str]) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", _SEALED)
    for name in fields:
        if new.get(name) != old.get(name) or isinstance(
            new.get(name), NullBytes
        ):  # an empty map is another one than none
            yield forbidden(name, _SEALED)


_WANTED_KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}


def check_secret(secret: Object) -> Iterator[Cause]:
    """What is wrong with a Secret. No message ever shows a value of it."""
    data, kind = secret.get("data") or {}, secret.get("type") or ""
    for key in sorted(data):
        yield from (invalid(f"data[{key}]", key, text) for text in config_key(key))
    if _size(data) > _LARGEST:
        yield too_long("data", _LARGEST)
    for key in _WANTED_KEYS.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
        elif kind.startswith("kubernetes.io/docker"):
            yield from _docker(data[key], f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        yield required("data[username]")
        yield required("data[password]")
    if kind == "kubernetes.io/service-account-token" and not get(secret, "metadata", "annotations", _ACCOUNT):
        yield required(f"metadata.annotations[{_ACCOUNT}]")


def _docker(value: str, at: str) -> Iterator[Cause]:
    raw = binascii.a2b_base64(value or "")
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError):
        yield invalid(at, _REDACTED, json_problem(raw))
        return
    if not isinstance(found, dict):
        yield invalid(at, _REDACTED, "json: cannot unmarshal value into Go value of type map[string]interface {}")


def check_secret_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a Secret: its type stays, and all of it once it is immutable."""
    yield from unchanged(new.get("type"), old.get("type"), "type")
    yield from _sealed(new, old, ("data",))
    yield from check_secret(new)


def check_quota(quota: Object) -> Iterator[Cause]:
    """What is wrong with a ResourceQuota."""
    hard, scopes = get(quota, "spec", "hard", default={}), get(quota, "spec", "scopes", default=[])
    for name in sorted(hard):
        yield from _quota_amount(name, hard[name], f"spec.hard[{name}]")
    yield from _quota_scopes(scopes, hard)
    yield from _scope_selector(quota, hard)


def _quota_amount(name: str, amount: Json, at: str) -> Iterator[Cause]:
    yield from (invalid(at, name, text) for text in qualified_name(name))
    if "/" not in name and name not in _STANDARD and not name.startswith(("requests.hugepages-", "hugepages-")):
        yield invalid(at, name, "must be a standard resource type or fully qualified")
        yield invalid(at, name, "must be a standard resource for quota")
    found = quantity(amount)
    if found is None:
        return
    if found.value < 0:
        yield invalid(at, found.text, NOT_NEGATIVE)
    if (name in _WHOLE or name.startswith("count/")) and found.value.denominator != 1:
        yield invalid(at, found.text, "must be an integer")


def _quota_scopes(scopes: Sequence[str], hard: Mapping[str, Any]) -> Iterator[Cause]:
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", list(scopes), "unsupported scope")
        for name in hard:
            if name in _STANDARD and name not in _allowed(scope):
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
            if name in _STANDARD and name not in _allowed(scope):
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
    return _OF_PODS if scope in _SCOPES else _STANDARD


def check_quota_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ResourceQuota: its scopes stay."""
    yield from check_quota(new)
    if sorted(get(new, "spec", "scopes", default=[])) != sorted(get(old, "spec", "scopes", default=[])):
        yield invalid("spec.scopes", get(new, "spec", "scopes"), IMMUTABLE)


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
        if kind == "Pod":
            for key in ("default", "defaultRequest"):
                if limit.get(key):
                    yield forbidden(f"{at}.{key}", "may not be specified when `type` is 'Pod'")
        if kind == "PersistentVolumeClaim" and not any("storage" in (limit.get(key) or {}) for key in ("min", "max")):
            yield required(
                f"{at}.limits", "either minimum or maximum storage value is required, but neither was provided"
            )
        yield from _limit_order(limit, at)


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


def _limit_order(limit: Object, at: str) -> Iterator[Cause]:
    for low, high, blamed, told, words in _PAIRS:
        for name, amount in (limit.get(low) or {}).items():
            other = get(limit, high, name)
            a, b = quantity(amount), None if other is None else quantity(other)
            if a is not None and b is not None and a.value > b.value:
                value = limit[told][name]
                yield invalid(f"{at}.{blamed}[{name}]", value, words.format(a=a.text, b=b.text))
    for name, ratio in (limit.get("maxLimitRequestRatio") or {}).items():
        found = quantity(ratio)
        if found is None:
            continue
        where = f"{at}.maxLimitRequestRatio[{name}]"
        if found.value < 1:
            yield invalid(where, found.text, f"ratio {found.text} is less than 1")
        least, most = (_amount(limit, side, name) for side in ("min", "max"))
        if least and most is not None and found.value > most / least:
            quotient = float(most / least)
            yield invalid(where, found.text, f"ratio {found.text} is greater than max/min = {quotient:.6f}")


def _amount(limit: Object, side: str, name: str) -> Fraction | None:
    one = get(limit, side, name)
    found = None if one is None else quantity(one)
    return None if found is None else found.value


def check_lease(lease: Object) -> Iterator[Cause]:
    """What is wrong with a Lease."""
    spec = lease.get("spec") or {}
    seconds, changes = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if changes is not None and changes < 0:
        yield invalid("spec.leaseTransitions", changes, NOT_NEGATIVE)
    if spec.get("preferredHolder") and not spec.get("strategy"):
        yield forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined")


def check_priority_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with a PriorityClass: the highest values, and names that begin with system-, are the system's."""
    name, value = get(obj, "metadata", "name", default=""), obj.get("value") or 0
    if name.startswith("system-"):
        if name not in ("system-cluster-critical", "system-node-critical"):
            words = "priority class names with 'system-' prefix are reserved for system use only"
            yield forbidden("metadata.name", f"{words}. error: {name} is not a known system priority class")
    elif value > _USER_PRIORITY:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {_USER_PRIORITY}")
    policy = obj.get("preemptionPolicy")
    if policy == "":
        yield required("preemptionPolicy")
    elif policy is not None and policy not in ("PreemptLowerPriority", "Never"):
        yield not_supported("preemptionPolicy", policy, ("PreemptLowerPriority", "Never"))


def check_priority_class_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a PriorityClass: its value stays."""
    if (new.get("value") or 0) != (old.get("value") or 0):
        yield forbidden("value", "may not be changed in an update.")
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        yield invalid("preemptionPolicy", new.get("preemptionPolicy"), IMMUTABLE)


def check_runtime_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with a RuntimeClass."""
    handler = obj.get("handler") or ""
    yield from named(handler, dns_label, "handler", needed=True)
    if obj.get("overhead") is not None:
        yield from check_resources({"limits": get(obj, "overhead", "podFixed")}, "overhead")
    yield from check_labels(get(obj, "scheduling", "nodeSelector"), "scheduling.nodeSelector")
    yield from check_tolerations(get(obj, "scheduling", "tolerations"), "scheduling.tolerations")
    seen: set[tuple[str, ...]] = set()
    for index, one in items(obj, "scheduling", "tolerations"):
        held = {key: one.get(key) or "" for key in ("key", "operator", "value", "effect")}
        if tuple(held.values()) in seen:
            go = {key.capitalize(): value for key, value in held.items()}
            yield duplicate(
                f"scheduling.tolerations[{index}]", Struct({**go, "TolerationSeconds": one.get("tolerationSeconds")})
            )
        seen.add(tuple(held.values()))


def check_runtime_class_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a RuntimeClass: its handler stays."""
    yield from unchanged(new.get("handler"), old.get("handler"), "handler")
