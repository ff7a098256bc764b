"""Validation of config maps, secrets, leases, priority classes and runtime classes."""

import binascii
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from kilde.core.basics.json_words import json_problem
from kilde.core.basics.values import Json, Object
from kilde.core.objects.null_bytes import NullBytes
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
from kilde.kubeapi.resources.validation.amounts import (
    check_resources,
)
from kilde.kubeapi.resources.validation.fields import (
    IMMUTABLE,
    NOT_NEGATIVE,
    get,
    items,
    named,
    unchanged,
)
from kilde.kubeapi.resources.validation.metadata import check_labels
from kilde.kubeapi.resources.validation.names import config_key, dns_label
from kilde.kubeapi.resources.validation.scheduling import check_tolerations

_LARGEST = 1024 * 1024
_SEALED = "field is immutable when `immutable` is set"
_REDACTED = "<secret contents redacted>"
_ACCOUNT = "kubernetes.io/service-account.name"
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


_SSH = "kubernetes.io/ssh-auth"
_WANTED_KEYS: Mapping[str, tuple[str, ...]] = {
    _SSH: ("ssh-privatekey",),
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
        if key not in data or (kind == _SSH and not data[key]):
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
    yield from check_runtime_class(new)
    yield from unchanged(new.get("handler"), old.get("handler"), "handler")
