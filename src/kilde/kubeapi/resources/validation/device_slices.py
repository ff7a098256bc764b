"""Validation of ResourceSlices: what devices there are (resource.k8s.io)."""

import re
from collections.abc import Iterator
from itertools import pairwise

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, duplicate, forbidden, invalid, required, too_long
from kilde.kubeapi.resources.validation.device_claims import each, plain_name, pool_name
from kilde.kubeapi.resources.validation.fields import get, items, named, one_of, quantity, unchanged
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, label_value, qualified_name
from kilde.kubeapi.resources.validation.scheduling import check_node_selector
from kilde.kubeapi.resources.validation.volume_sources import driver_name

_MOST_DEVICES, _MOST_WITH_MORE = 128, 64
_MOST_TAINTS, _MOST_COUNTER_SETS, _MOST_COUNTERS, _MOST_CONSUMED = 16, 8, 32, 2
_MOST_ATTRIBUTES, _LONGEST_VALUE, _MOST_CONDITIONS = 32, 64, 4
_EFFECTS = ("NoExecute", "NoSchedule", "None")
_WHERE = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_ONE_OF_ALL = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
_ONE_OF_DEVICE = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true"
    " in the ResourceSlice spec"
)
_NOT_OF_DEVICE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true"
    " in the ResourceSlice spec"
)
_NUMBER, _PRE, _BUILD = r"(0|[1-9]\d*)", r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)", r"[0-9a-zA-Z-]+"
_SEMVER = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRE}(\.{_PRE})*)?(\+{_BUILD}(\.{_BUILD})*)?", re.ASCII)
_SINGLE = ("bool", "int", "string", "version")
_SEVERAL = ("bools", "ints", "strings", "versions")


def check_slice(obj: Object, *, old: Object | None = None) -> Iterator[Cause]:
    """What is wrong with a ResourceSlice."""
    spec, at = obj.get("spec") or {}, "spec"
    yield from driver_name(spec.get("driver"), f"{at}.driver")
    yield from _pool(spec.get("pool") or {}, f"{at}.pool")
    if old is not None:
        for path in (("pool", "name"), ("driver",)):
            now, was = (get(one, "spec", *path, default="") for one in (obj, old))
            yield from unchanged(now, was, f"{at}.{'.'.join(path)}")
        yield from unchanged(spec.get("nodeName"), get(old, "spec", "nodeName"), f"{at}.nodeName")
    yield from _nodes(spec, at)
    if spec.get("sharedCounters") is not None and spec.get("devices") is not None:
        yield invalid(at, "", "only one of `sharedCounters` or `devices` is allowed")
    most = _MOST_WITH_MORE if _is_rich(spec) else _MOST_DEVICES
    per_device = bool(spec.get("perDeviceNodeSelection"))
    yield from each(
        spec.get("devices"),
        most,
        lambda one, where: _device(one, where, per_device=per_device),
        f"{at}.devices",
        "name",
    )
    yield from each(spec.get("sharedCounters"), _MOST_COUNTER_SETS, _counter_set, f"{at}.sharedCounters", "name")


def check_slice_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ResourceSlice."""
    yield from check_slice(new, old=old)


def _pool(pool: Object, at: str) -> Iterator[Cause]:
    yield from pool_name(pool.get("name") or "", f"{at}.name")
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        yield invalid(f"{at}.resourceSliceCount", count, "must be greater than zero")
    if generation < 0:
        yield invalid(f"{at}.generation", generation, "must be greater than or equal to zero")


def _nodes(spec: Object, at: str) -> Iterator[Cause]:
    """On which nodes the devices are, told in one of four ways."""
    said: list[str] = []
    name, selector = spec.get("nodeName"), spec.get("nodeSelector")
    if name:
        said.append("`nodeName`")
        yield from named(name, dns_subdomain, f"{at}.nodeName")
    elif name is not None:
        yield invalid(f"{at}.nodeName", name, "must be either unset or set to a non-empty string")
    if selector is not None:
        said.append("`nodeSelector`")
        yield from check_node_selector(selector, f"{at}.nodeSelector")
        terms = selector.get("nodeSelectorTerms") or []
        if len(terms) != 1:
            shown = [Struct(term) for term in terms] or None
            yield invalid(f"{at}.nodeSelector.nodeSelectorTerms", shown, "must have exactly one node selector term")
    for key in _WHERE[2:]:
        if spec.get(key):
            said.append(f"`{key}`")
        elif spec.get(key) is not None:
            yield invalid(f"{at}.{key}", spec[key], "must be either unset or set to true")
    yield from _one(said, at, _ONE_OF_ALL, f"{_ONE_OF_ALL}, but multiple fields are set")


def _one(said: list[str], at: str, missing: str, several: str) -> Iterator[Cause]:
    if not said:
        yield required(at, missing)
    elif len(said) > 1:
        yield invalid(at, f"{{{', '.join(said)}}}", several)


def _is_rich(spec: Object) -> bool:
    """Whether a device has taints, consumes counters or has attributes with several values."""
    return any(
        one.get("taints")
        or one.get("consumesCounters")
        or any(key in value for value in (one.get("attributes") or {}).values() for key in _SEVERAL)
        for _, one in items(spec, "devices")
    )


def _device(device: Json, at: str, *, per_device: bool) -> Iterator[Cause]:
    if not isinstance(device, dict):
        return
    name, attributes, capacity = device.get("name") or "", device.get("attributes") or {}, device.get("capacity") or {}
    yield from (invalid(f"{at}.name", name, text) for text in dns_label(name))
    if len(attributes) + len(capacity) > _MOST_ATTRIBUTES:
        words = f"the total number of attributes and capacities must not exceed {_MOST_ATTRIBUTES}"
        yield invalid(at, len(attributes) + len(capacity), words)
    for key, attribute in attributes.items():
        yield from plain_name(key, f"{at}.attributes")
        yield from _attribute(attribute or {}, f"{at}.attributes[{key}]")
    for key, amount in capacity.items():
        yield from plain_name(key, f"{at}.capacity")
        if get(amount, "requestPolicy") is not None:
            yield from _policy(amount, f"{at}.capacity[{key}].requestPolicy", device)
    yield from each(device.get("taints"), _MOST_TAINTS, _taint, f"{at}.taints")
    yield from each(
        device.get("consumesCounters"), _MOST_CONSUMED, _consumption, f"{at}.consumesCounters", "counterSet"
    )
    yield from _device_nodes(device, at, per_device=per_device)
    yield from _binding(device, at)


def _device_nodes(device: Object, at: str, *, per_device: bool) -> Iterator[Cause]:
    name, selector, everywhere = (device.get(key) for key in ("nodeName", "nodeSelector", "allNodes"))
    if not per_device:
        if not (name is None and selector is None and everywhere is None):
            yield invalid(at, None, _NOT_OF_DEVICE)
        return
    said = ["`nodeName`"] if name else []
    if name:
        yield from named(name, dns_subdomain, f"{at}.nodeName")
    elif name is not None:
        yield invalid(f"{at}.nodeName", name, "must not be empty")
    if selector is not None:
        said.append("`nodeSelector`")
        yield from check_node_selector(selector, f"{at}.nodeSelector")
    if everywhere:
        said.append("`allNodes`")
    elif everywhere is not None:
        yield invalid(f"{at}.allNodes", everywhere, "must be either unset or set to true")
    yield from _one(said, at, _ONE_OF_DEVICE, _ONE_OF_DEVICE)


def _attribute(attribute: Object, at: str) -> Iterator[Cause]:
    kinds = [key for key in (*_SINGLE, *_SEVERAL) if attribute.get(key) is not None]
    for key in kinds:
        value = attribute[key]
        if key in _SEVERAL and not value:
            yield invalid(f"{at}.{key}", value, "must not be empty if specified")
        for index, one in enumerate(value if key in _SEVERAL else [value]):
            where = f"{at}.{key}[{index}]" if key in _SEVERAL else f"{at}.{key}"
            if key.startswith("version") and not _SEMVER.fullmatch(one):
                yield invalid(where, one, "must be a string compatible with semver.org spec 2.0.0")
            if key.startswith(("string", "version")) and len(one) > _LONGEST_VALUE:
                yield too_long(where, _LONGEST_VALUE)
    if not kinds:
        yield invalid(at, "", "exactly one value must be specified")
    elif len(kinds) > 1:
        yield invalid(at, Struct(attribute), "exactly one value must be specified")


def _policy(amount: Object, at: str, device: Object) -> Iterator[Cause]:
    """How much of a capacity may be asked for."""
    if not device.get("allowMultipleAllocations"):
        yield forbidden(at, "allowMultipleAllocations must be true")
        return
    policy = amount["requestPolicy"]
    values, span, default = policy.get("validValues") or [], policy.get("validRange"), policy.get("default")
    if values and span is not None:
        words = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
        yield forbidden(at, words)
    elif default is None and (values or span is not None):
        yield required(f"{at}.default", f"required when {'validValues' if values else 'validRange'} is defined")
    elif values:
        yield from _policy_values(values, default, amount.get("value"), f"{at}.validValues")


def _policy_values(values: list[Json], default: Json, most: Json, at: str) -> Iterator[Cause]:
    found, whole, chosen = [quantity(one) for one in values], quantity(most), quantity(default)
    for index, (one, after) in enumerate(pairwise(found), 1):
        if one and after and one.value > after.value:
            yield invalid(f"{at}[{index}]", after.text, "values must be sorted in ascending order")
    for index, one in enumerate(found):
        if one and whole and one.value > whole.value:
            yield invalid(f"{at}[{index}]", one.text, f"option is larger than capacity value: {whole.text}")
    if chosen and all(one is None or one.value != chosen.value for one in found):
        yield invalid(at, chosen.text, "default value is not valid according to the requestPolicy")


def _taint(taint: Json, at: str) -> Iterator[Cause]:
    key, value = get(taint, "key", default=""), get(taint, "value", default="")
    yield from (invalid(f"{at}.key", key, text) for text in qualified_name(key))
    yield from (invalid(f"{at}.value", value, text) for text in label_value(value))
    yield from one_of(get(taint, "effect"), _EFFECTS, f"{at}.effect", needed=True)


def _counter_set(one: Json, at: str) -> Iterator[Cause]:
    yield from named(get(one, "name"), dns_label, f"{at}.name", needed=True)
    yield from _counters(get(one, "counters", default={}), f"{at}.counters")


def _consumption(one: Json, at: str) -> Iterator[Cause]:
    yield from named(get(one, "counterSet"), dns_label, f"{at}.counterSet", needed=True)
    yield from _counters(get(one, "counters", default={}), f"{at}.counters")


def _counters(counters: Object, at: str) -> Iterator[Cause]:
    if not counters:
        yield required(at)
    elif len(counters) > _MOST_COUNTERS:
        yield Cause(at, "FieldValueTooMany", f"Too many: {len(counters)}: must have at most {_MOST_COUNTERS} items")
    else:
        yield from (invalid(at, key, text) for key in counters for text in dns_label(key))


def _binding(device: Object, at: str) -> Iterator[Cause]:
    lists = {key: device.get(key) or [] for key in ("bindingConditions", "bindingFailureConditions")}
    for key, names in lists.items():
        yield from each(names, _MOST_CONDITIONS, _condition, f"{at}.{key}")
    for key, names in lists.items():
        for index, name in enumerate(names):
            if name in names[:index]:
                yield duplicate(f"{at}.{key}[{index}]", name)
            if key == "bindingFailureConditions" and name in lists["bindingConditions"]:
                words = "bindingFailureConditions must not overlap with bindingConditions"
                yield invalid(f"{at}.{key}[{index}]", name, words)
    good, bad = lists.values()
    if bool(good) != bool(bad):
        lacking, other = sorted(lists, key=lambda key: bool(lists[key]))
        yield invalid(f"{at}.{lacking}", None, f"{lacking} are required to use {other}")


def _condition(name: object, at: str) -> Iterator[Cause]:
    yield from (invalid(at, str(name), text) for text in qualified_name(str(name)))
