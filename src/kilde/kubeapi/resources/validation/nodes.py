"""Validation of Nodes."""

import ipaddress
import re
from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, duplicate, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.quota_names import COUNTED
from kilde.kubeapi.resources.validation.fields import NOT_NEGATIVE, cidr, get, items, quantity
from kilde.kubeapi.resources.validation.names import label_value, qualified_name

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_FEATURE = re.compile(r"[A-Z][A-Za-z0-9]*(/[A-Za-z0-9]+)*", re.ASCII)
_ONE_PER_FAMILY = "may specify no more than one CIDR for each IP family"


def check_node(node: Object) -> Iterator[Cause]:
    """What is wrong with a Node."""
    yield from _taints(node)
    yield from _resources(node)
    yield from _features(node)
    networks = get(node, "spec", "podCIDRs", default=[])
    for index, network in enumerate(networks):
        yield from cidr(network, f"spec.podCIDRs[{index}]")
    if len(networks) > 1:
        yield from _dual_stack(networks)


def _dual_stack(networks: list[str]) -> Iterator[Cause]:
    families = set()
    for index, network in enumerate(networks):
        try:
            families.add(ipaddress.ip_network(network if "/" in network else "", strict=False).version)
        except ValueError:
            fault = f"invalid CIDR[{index}]: <nil> (invalid CIDR address: {network})"
            why = f"invalid PodCIDRs. failed to check with dual stack with error:{fault}"
            yield Cause("spec.podCIDRs", "InternalError", f"Internal error: {why}")
            families.clear()
            break
    if len(families) < 2 or len(networks) > 2:
        yield invalid("spec.podCIDRs", list(networks), _ONE_PER_FAMILY)


def _taints(node: Object) -> Iterator[Cause]:
    """The real paths are below metadata."""
    seen: set[tuple[str, str]] = set()
    for index, taint in items(node, "spec", "taints"):
        at = f"metadata.taints[{index}]"
        key, value, effect = (taint.get(name) or "" for name in ("key", "value", "effect"))
        yield from (invalid(f"{at}.key", key, text) for text in qualified_name(key))
        faults = label_value(value)
        if faults:
            yield invalid(f"{at}.value", value, ";".join(faults))
        if not effect:
            yield required(f"{at}.effect")
        elif effect not in _EFFECTS:
            yield not_supported(f"{at}.effect", effect, _EFFECTS)
        if (effect, key) in seen:
            held = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            found = duplicate(at, Struct(held))
            yield Cause(at, found.reason, f"{found.message}: taints must be unique by key and effect pair")
        seen.add((effect, key))


def _resources(node: Object) -> Iterator[Cause]:
    for part in ("capacity", "allocatable"):
        for name, amount in get(node, "status", part, default={}).items():
            yield from _amount(name, amount, f"status.{part}.{name}")


def _amount(name: str, amount: Json, at: str) -> Iterator[Cause]:
    found = quantity(amount)
    if found is None:
        return
    if found.value < 0:
        yield invalid(at, found.text, NOT_NEGATIVE)
    extended = "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")
    if (name in COUNTED or extended) and found.value.denominator != 1:
        yield invalid(at, found.text, "must be an integer")


def _features(node: Object) -> Iterator[Cause]:
    at, names = "status.declaredFeatures", get(node, "status", "declaredFeatures", default=[])
    for index, name in enumerate(names):
        told = ""
        if len(name) > 253:
            told = "must be no more than 253 characters"
        elif not _FEATURE.fullmatch(name):
            told = (
                "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or"
                " MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
            )
        if told:
            yield invalid(f"{at}[{index}]", name, f'invalid feature name "{name}": {told}')
        if index and names[index - 1] == name:
            yield duplicate(f"{at}[{index}]", name)
        elif index and names[index - 1] > name:
            yield invalid(f"{at}[{index}]", name, "list must be sorted alphabetically")


def check_node_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a Node."""
    yield from check_node(new)
    yield from check_node_status(new, old)


def check_node_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a Node's status, and of what it was given once and keeps."""
    yield from _resources(new)
    yield from _features(new)
    seen: list[Mapping[str, Json]] = []
    for index, address in items(new, "status", "addresses"):
        if address in seen:
            held = {"Type": address.get("type") or "", "Address": address.get("address") or ""}
            yield duplicate(f"status.addresses[{index}]", Struct(held))
        seen.append(address)
    had, has = (get(one, "spec", "podCIDRs", default=[]) for one in (old, new))
    if had and (len(had) != len(has) or had != has):
        times = 1 if len(had) != len(has) else sum(one != other for one, other in zip(had, has, strict=True))
        for _ in range(times):
            yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    was = get(old, "spec", "providerID", default="")
    if was and get(new, "spec", "providerID", default="") != was:
        yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
    yield from _taints(new)
    if get(new, "spec", "externalID", default="") != get(old, "spec", "externalID", default=""):
        yield forbidden("spec.externalID", "may not be updated")
