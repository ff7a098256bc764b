"""Validation of IPAddresses and ServiceCIDRs (networking.k8s.io)."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, invalid, required
from kilde.kubeapi.resources.validation.fields import IMMUTABLE, get
from kilde.kubeapi.resources.validation.names import dns_subdomain, path_segment

_PARENT: Mapping[str, str] = {"Group": "group", "Resource": "resource", "Namespace": "namespace", "Name": "name"}
_ONE_PER_FAMILY = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"


def check_address(obj: Object) -> Iterator[Cause]:
    """What is wrong with an IPAddress."""
    parent, at = get(obj, "spec", "parentRef"), "spec.parentRef"
    if parent is None:
        yield required(at)
        return
    group = parent.get("group") or ""
    yield from (invalid(f"{at}.group", group, text) for text in (dns_subdomain(group) if group else ()))
    for key in ("resource", "name", "namespace"):
        value = parent.get(key) or ""
        if not value and key != "namespace":
            yield required(f"{at}.{key}")
        yield from (invalid(f"{at}.{key}", value, text) for text in path_segment(value))


def check_address_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of an IPAddress."""
    yield from check_address(new)
    parent = get(new, "spec", "parentRef")
    if parent != get(old, "spec", "parentRef"):
        held = Struct({name: get(parent, key, default="") for name, key in _PARENT.items()}) if parent else None
        yield invalid("spec.parentRef", held, IMMUTABLE)


def check_range(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ServiceCIDR."""
    yield from _ranges(get(obj, "spec", "cidrs", default=[]))


def _ranges(ranges: Sequence[str]) -> Iterator[Cause]:
    at = "spec.cidrs"
    if not ranges:
        yield required(at, "at least one CIDR required")
    elif len(ranges) > 2:
        yield invalid(at, Struct({"CIDRs": list(ranges)}), "may only hold up to 2 values")
    else:
        for index, text in enumerate(ranges):
            yield from strict_range(text, f"{at}[{index}]")
        families = [_family(text) for text in ranges]
        if len(families) == 2 and families[0] and families[0] == families[1]:
            yield invalid(at, list(ranges), _ONE_PER_FAMILY)


def _family(text: str) -> int:
    try:
        return ipaddress.ip_network(text, strict=False).version
    except ValueError:
        return 0


def strict_range(text: str, at: str) -> Iterator[Cause]:
    """A network in its canonical form."""
    try:
        found = ipaddress.ip_network(text if "/" in text else "", strict=False)
    except ValueError:
        yield invalid(at, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        return
    address = text.partition("/")[0]
    if ipaddress.ip_address(address) != found.network_address:
        yield invalid(at, text, "must not have bits set beyond the prefix length")
    elif text != str(found):
        yield invalid(at, text, f'must be in canonical form ("{found}")')


def check_range_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a ServiceCIDR: a second family may join the first."""
    now, had = (get(one, "spec", "cidrs", default=[]) for one in (new, old))
    at = "spec.cidrs"
    if len(now) == len(had):
        for index, (text, was) in enumerate(zip(now, had, strict=True)):
            if text != was:
                yield invalid(f"{at}[{index}]", text, IMMUTABLE)
    elif len(had) == 1 and len(now) == 2:
        if now[0] != had[0]:
            yield invalid(f"{at}[0]", now[0], IMMUTABLE)
        yield from _ranges(now)
    else:
        yield invalid(at, _list(now), IMMUTABLE)


def _list(values: Sequence[str]) -> Json:
    return list(values) or None
