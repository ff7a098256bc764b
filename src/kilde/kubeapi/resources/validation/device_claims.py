"""Validation of ResourceClaims, their templates and DeviceClasses (resource.k8s.io)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel.expressions import available
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from kilde.kubeapi.resources.go_structs import held
from kilde.kubeapi.resources.validation.device_selectors import check_device_expression
from kilde.kubeapi.resources.validation.fields import IMMUTABLE, get, items, named, one_of
from kilde.kubeapi.resources.validation.metadata import check_annotations, check_labels
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, label_value, qualified_name
from kilde.kubeapi.resources.validation.scheduling import check_node_selector
from kilde.kubeapi.resources.validation.volume_sources import driver_name

_MOST, _MOST_CHOICES, _MOST_USERS = 32, 8, 256
_LONGEST_EXPRESSION = _LONGEST_PARAMETERS = 10 * 1024
_EFFECTS = ("NoExecute", "NoSchedule", "None")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_IDENTIFIER_TEXT = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'"
    " (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
)
_LONGEST_IDENTIFIER = 32
_REFERENCE = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
Names = Mapping[str, frozenset[str]]
Check = Callable[[Json, str], Iterator[Cause]]


def each(
    values: Json, most: int, check: Callable[[object, str], Iterator[Cause]], at: str, key: str = ""
) -> Iterator[Cause]:
    """The items of a list that is not too long; `key` is the field that tells them apart, `.` the item itself."""
    found: Sequence[object] = values if isinstance(values, list) else ()
    if len(found) > most >= 0:
        yield too_many(at, len(found), most)
        return
    seen: set[object] = set()
    for index, one in enumerate(found):
        yield from check(one, f"{at}[{index}]")
    for index, one in enumerate(found):
        name = one if key == "." else get(one, key, default="") if key else None
        if key and name in seen:
            yield duplicate(f"{at}[{index}]", name)
        seen.add(name)


def check_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with a DeviceClass."""
    spec = obj.get("spec") or {}
    yield from each(spec.get("selectors"), _MOST, _selector, "spec.selectors")
    yield from each(spec.get("config"), _MOST, _configuration, "spec.config")
    extended = spec.get("extendedResourceName")
    if extended is not None and not is_extended(extended):
        yield invalid("spec.extendedResourceName", extended, "must be a valid extended resource name")


def is_extended(name: str) -> bool:
    """Whether a resource is one that drivers or administrators have named."""
    native = "/" not in name or "kubernetes.io/" in name
    return not native and not name.startswith("requests.") and not qualified_name(f"requests.{name}")


def check_claim(claim: Object) -> Iterator[Cause]:
    """What is wrong with a ResourceClaim."""
    yield from _devices(get(claim, "spec", "devices", default={}), "spec.devices")


def check_claim_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ResourceClaim: what it asks for stays."""
    if _filled(new.get("spec")) != _filled(old.get("spec")):
        yield invalid("spec", held("ResourceClaimSpec", new.get("spec") or {}), IMMUTABLE)


def _filled(value: Json) -> Json:
    """A value without empty lists, which are as good as none."""
    if isinstance(value, dict):
        made = {key: _filled(one) for key, one in value.items()}
        return {key: one for key, one in made.items() if one not in (None, [])}
    return [_filled(one) for one in value] if isinstance(value, list) else value


def check_template(template: Object) -> Iterator[Cause]:
    """What is wrong with a ResourceClaimTemplate."""
    meta = get(template, "spec", "metadata", default={})
    yield from check_annotations(meta.get("annotations"), "spec.metadata.annotations")
    yield from check_labels(meta.get("labels"), "spec.metadata.labels")
    yield from (
        forbidden(f"spec.metadata.{key}", "cannot be set")
        for key, value in meta.items()
        if value and key not in ("annotations", "labels")
    )
    yield from _devices(get(template, "spec", "spec", "devices", default={}), "spec.spec.devices")


def check_template_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ResourceClaimTemplate: it stays."""
    yield from check_template(new)
    if _filled(new.get("spec")) != _filled(old.get("spec")):
        yield invalid("spec", held("ResourceClaimTemplateSpec", new.get("spec") or {}), IMMUTABLE)


def _devices(devices: Object, at: str) -> Iterator[Cause]:
    names = _request_names(devices)
    yield from each(devices.get("requests"), _MOST, _request, f"{at}.requests", "name")
    yield from each(
        devices.get("constraints"), _MOST, lambda one, where: _constraint(one, where, names), f"{at}.constraints"
    )
    yield from each(
        devices.get("config"), _MOST, lambda one, where: _claim_configuration(one, where, names), f"{at}.config"
    )


def _request_names(devices: Object) -> Names:
    """The names of requests, each with those of its choices."""
    return {
        request.get("name") or "": frozenset(one.get("name") or "" for _, one in items(request, "firstAvailable"))
        for _, request in items(devices, "requests")
    }


def _request(request: Json, at: str) -> Iterator[Cause]:
    name, choices, exactly = get(request, "name", default=""), get(request, "firstAvailable"), get(request, "exactly")
    yield from (invalid(f"{at}.name", name, text) for text in dns_label(name))
    wanted = "exactly one of `exactly` or `firstAvailable` is required"
    if not choices and exactly is None:
        yield required(at, wanted)
    elif choices and exactly is not None:
        yield invalid(at, None, f"{wanted}, but multiple fields are set")
    elif choices:
        yield from each(choices, _MOST_CHOICES, _choice, f"{at}.firstAvailable", "name")
    else:
        yield from _exact(exactly, f"{at}.exactly")


def _choice(choice: Json, at: str) -> Iterator[Cause]:
    name = get(choice, "name", default="")
    yield from (invalid(f"{at}.name", name, text) for text in dns_label(name))
    yield from _exact(choice, at)


def _exact(request: Json, at: str) -> Iterator[Cause]:
    yield from named(get(request, "deviceClassName"), dns_subdomain, f"{at}.deviceClassName", needed=True)
    yield from each(get(request, "selectors"), _MOST, _selector, f"{at}.selectors")
    mode, count = get(request, "allocationMode", default=""), get(request, "count", default=0)
    if mode == "All":
        if count:
            yield invalid(f"{at}.count", count, "must not be specified when allocationMode is 'All'")
    elif mode == "ExactCount":
        if count <= 0:
            yield invalid(f"{at}.count", count, "must be greater than zero")
    else:
        yield not_supported(f"{at}.allocationMode", mode, ("All", "ExactCount"))
    for index, one in items(request, "tolerations"):
        yield from _toleration(one, f"{at}.tolerations[{index}]")


def _toleration(one: Object, at: str) -> Iterator[Cause]:
    key, operator, value, effect = (one.get(name) or "" for name in ("key", "operator", "value", "effect"))
    yield from named(key, qualified_name, f"{at}.key")
    if operator == "Exists":
        if value:
            yield invalid(f"{at}.value", value, "must be empty for operator `Exists`")
    elif operator == "Equal":
        yield from (invalid(f"{at}.value", value, text) for text in label_value(value))
    else:
        yield from one_of(operator, ("Equal", "Exists"), f"{at}.operator", needed=True)
    yield from one_of(effect, _EFFECTS, f"{at}.effect")


def _selector(selector: object, at: str) -> Iterator[Cause]:
    rule = get(selector, "cel") if isinstance(selector, dict) else None
    if rule is None:
        yield required(f"{at}.cel")
        return
    text = rule.get("expression") or ""
    if len(text) > _LONGEST_EXPRESSION:
        yield too_long(f"{at}.cel.expression", _LONGEST_EXPRESSION)
    elif available():
        yield from check_device_expression(text, f"{at}.cel.expression")


def _constraint(constraint: Json, at: str, names: Names) -> Iterator[Cause]:
    yield from _references(get(constraint, "requests"), f"{at}.requests", names)
    for key in ("matchAttribute", "distinctAttribute"):
        if get(constraint, key) is not None:
            yield from full_name(constraint[key], f"{at}.{key}")
            return
    words = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    yield required(at, words)


def _references(values: Json, at: str, names: Names) -> Iterator[Cause]:
    yield from each(values, _MOST, lambda one, where: reference(str(one), where, names), at, ".")


def reference(name: str, at: str, names: Names) -> Iterator[Cause]:
    """A request of a claim, or one of its choices."""
    steps = name.split("/")
    if len(steps) > 2:
        yield invalid(at, name, _REFERENCE)
        return
    yield from (invalid(at, step, text) for step in steps for text in dns_label(step))
    if steps[0] not in names or (len(steps) > 1 and steps[1] not in names[steps[0]]):
        yield invalid(at, name, _REFERENCE)


def _claim_configuration(one: Json, at: str, names: Names) -> Iterator[Cause]:
    yield from _references(get(one, "requests"), f"{at}.requests", names)
    yield from _configuration(one, at)


def _configuration(one: object, at: str) -> Iterator[Cause]:
    opaque = get(one, "opaque") if isinstance(one, dict) else None
    if opaque is None:
        yield required(f"{at}.opaque")
        return
    yield from driver_name(opaque.get("driver"), f"{at}.opaque.driver")
    yield from raw(opaque.get("parameters"), f"{at}.opaque.parameters")


def raw(value: Json, at: str) -> Iterator[Cause]:
    """What only a driver understands: a JSON object of a limited size."""
    if value is None:
        yield required(at)
    elif len(msgspec.json.encode(value)) > _LONGEST_PARAMETERS:
        yield too_long(at, _LONGEST_PARAMETERS)
    elif not isinstance(value, dict):
        yield invalid(at, "<value omitted>", "must be a valid JSON object")


def plain_name(name: str, at: str) -> Iterator[Cause]:
    """The name of an attribute or a capacity: an identifier, with or without a driver's domain."""
    parts = name.split("/")
    if len(parts) == 1:
        yield from _identifier(parts[0], at)
    elif len(parts) == 2:
        if not parts[0]:
            yield invalid(at, "", "the domain must not be empty")
        else:
            yield from driver_name(parts[0], at)
        if not parts[1]:
            yield invalid(at, "", "the name must not be empty")
        else:
            yield from _identifier(parts[1], at)


def full_name(name: str, at: str) -> Iterator[Cause]:
    """The name of an attribute with the domain of its driver."""
    yield from plain_name(name, at)
    if "/" not in name:
        yield invalid(at, name, "a fully qualified name must be a domain and a name separated by a slash")


def _identifier(text: str, at: str) -> Iterator[Cause]:
    if len(text) > _LONGEST_IDENTIFIER:
        yield too_long(at, _LONGEST_IDENTIFIER)
    if not _IDENTIFIER.fullmatch(text):
        yield invalid(at, text, _IDENTIFIER_TEXT)


def pool_name(name: str, at: str) -> Iterator[Cause]:
    """The name of a pool: domains with slashes between them."""
    if not name:
        yield required(at)
        return
    if len(name) > 253:
        yield too_long(at, 253)
    yield from (invalid(at, part, text) for part in name.split("/") for text in dns_subdomain(part))


def check_claim_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with the status of a ResourceClaim."""
    status, was = new.get("status") or {}, old.get("status") or {}
    yield from each(status.get("reservedFor"), _MOST_USERS, _user, "status.reservedFor", "uid")
    given = [_device_key(one) for _, one in items(status, "allocation", "devices", "results")]
    for index, device in items(status, "devices"):
        yield from _device_status(device, f"status.devices[{index}]", given)
    if status.get("reservedFor"):
        added = [one for one in status["reservedFor"] if one not in (was.get("reservedFor") or ())]
        if status.get("allocation") is None:
            yield forbidden("status.reservedFor", "may not be specified when `allocated` is not set")
        elif added and get(new, "metadata", "deletionTimestamp"):
            words = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
            yield forbidden("status.reservedFor", words)
    allocation, before = status.get("allocation"), was.get("allocation")
    if allocation is not None and before is not None:
        if allocation != before:
            yield invalid("status.allocation", held("AllocationResult", allocation), IMMUTABLE)
    elif allocation is not None:
        yield from _allocation(allocation, _request_names(get(new, "spec", "devices", default={})))


def _user(user: Json, at: str) -> Iterator[Cause]:
    yield from (required(f"{at}.{key}") for key in ("resource", "name", "uid") if not get(user, key))


def _device_key(device: Object) -> tuple[str, ...]:
    return tuple(device.get(key) or "" for key in ("driver", "pool", "device", "shareID"))


def _device_status(device: Object, at: str, given: Sequence[tuple[str, ...]]) -> Iterator[Cause]:
    yield from driver_name(device.get("driver"), f"{at}.driver")
    yield from pool_name(device.get("pool") or "", f"{at}.pool")
    name = device.get("device") or ""
    yield from (invalid(f"{at}.device", name, text) for text in dns_label(name))
    if _device_key(device) not in given:
        held = dict(zip(("Driver", "Pool", "Device", "ShareID"), _device_key(device), strict=True))
        yield invalid(at, Struct(held), "must be an allocated device in the claim")
    if device.get("data") is not None:
        yield from raw(device["data"], f"{at}.data")


def _allocation(allocation: Object, names: Names) -> Iterator[Cause]:
    at = "status.allocation"
    for index, result in items(allocation, "devices", "results"):
        where, device = f"{at}.devices.results[{index}]", result.get("device") or ""
        yield from chain(
            reference(result.get("request") or "", f"{where}.request", names),
            driver_name(result.get("driver"), f"{where}.driver"),
            pool_name(result.get("pool") or "", f"{where}.pool"),
            (invalid(f"{where}.device", device, text) for text in dns_label(device)),
        )
    for index, one in items(allocation, "devices", "config"):
        where = f"{at}.devices.config[{index}]"
        yield from one_of(one.get("source"), ("FromClaim", "FromClass"), f"{where}.source", needed=True)
        yield from _claim_configuration(one, where, names)
    if allocation.get("nodeSelector") is not None:
        yield from check_node_selector(allocation["nodeSelector"], f"{at}.nodeSelector")
