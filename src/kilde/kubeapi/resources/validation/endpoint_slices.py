"""Validation of EndpointSlices."""

from collections.abc import Iterator, Mapping, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, duplicate, invalid, not_supported, required, too_many
from kilde.kubeapi.resources.validation.fields import endpoint_ip, get, ip_address, named, needed, one_of, unchanged
from kilde.kubeapi.resources.validation.names import Rule, dns_label, dns_subdomain, label_value
from kilde.kubeapi.resources.validation.services import PROTOCOLS, app_protocol

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MOST_ENDPOINTS, _MOST_ADDRESSES, _MOST_HINTS = 1000, 100, 8
_HINTS: Mapping[str, Rule] = {"forZones": label_value, "forNodes": dns_subdomain}


def check_endpoint_slice(one: Object, old: Object | None = None) -> Iterator[Cause]:
    """What is wrong with an EndpointSlice; endpoints that it had already are not judged again."""
    kind, endpoints = one.get("addressType") or "", one.get("endpoints") or []
    yield from one_of(kind, _ADDRESS_TYPES, "addressType", needed=True)
    yield from _slice_ports(one.get("ports") or ())
    if old is not None and endpoints == (old.get("endpoints") or []):
        return
    if len(endpoints) > _MOST_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), _MOST_ENDPOINTS)
        return
    for index, endpoint in enumerate(endpoints):
        yield from _endpoint(endpoint, kind, f"endpoints[{index}]")


def _slice_ports(ports: Sequence[Object]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, entry in enumerate(ports):
        at, name = f"ports[{index}]", entry.get("name") or ""
        yield from named(name, dns_label, f"{at}.name")
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        protocol = entry.get("protocol")
        if protocol is None:
            yield required(f"{at}.protocol")
        elif protocol not in PROTOCOLS:
            yield not_supported(f"{at}.protocol", protocol, PROTOCOLS)
        yield from app_protocol(entry, at)


def _endpoint(endpoint: Object, kind: str, at: str) -> Iterator[Cause]:
    addresses: Json = endpoint.get("addresses") or ()
    yield from needed(addresses, f"{at}.addresses", "must contain at least 1 address")
    if len(addresses) > _MOST_ADDRESSES:
        yield too_many(f"{at}.addresses", len(addresses), _MOST_ADDRESSES)
    for index, address in enumerate(addresses):
        where = f"{at}.addresses[{index}]"
        if kind == "FQDN":
            yield from _full_name(address, where)
        elif kind in ("IPv4", "IPv6"):
            if (":" in address) != (kind == "IPv6") and not list(ip_address(address, where)):
                yield invalid(f"{at}.addresses", address, f"must be an {kind} address")
            yield from endpoint_ip(address, where)
    node = endpoint.get("nodeName")
    if node is not None:
        yield from (invalid(f"{at}.nodeName", node, text) for text in dns_subdomain(node))
    if endpoint.get("hostname") is not None:
        name = endpoint["hostname"]
        yield from (invalid(f"{at}.hostname", name, text) for text in dns_label(name))
    for key, rule in _HINTS.items():
        hints = get(endpoint, "hints", key, default=())
        yield from _hints(hints, rule, f"{at}.hints.{key}")
        if len(hints) > _MOST_HINTS:
            return


def _hints(hints: Sequence[Object], rule: Rule, at: str) -> Iterator[Cause]:
    if len(hints) > _MOST_HINTS:
        yield too_many(at, len(hints), _MOST_HINTS)
        return
    seen: set[str] = set()
    for index, hint in enumerate(hints):
        name, where = hint.get("name") or "", f"{at}[{index}].name"
        if name in seen:
            yield duplicate(where, name)
        seen.add(name)
        yield from (invalid(where, name, text) for text in rule(name))


def _full_name(address: str, at: str) -> Iterator[Cause]:
    """A domain of at least two labels."""
    if not address:
        yield required(at)
        return
    name = address.removesuffix(".")
    wrong = dns_subdomain(name)
    if wrong:
        yield invalid(at, name, ",".join(wrong))
    elif "." not in name:
        yield invalid(at, name, "should be a domain with at least two segments separated by dots")
    else:
        long = [(label, dns_label(label)) for label in name.split(".") if dns_label(label)]
        yield from (invalid(at, label, ",".join(texts)) for label, texts in long[:1])


def check_endpoint_slice_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of an EndpointSlice: its address type stays."""
    yield from check_endpoint_slice(new, old)
    yield from unchanged(new.get("addressType"), old.get("addressType"), "addressType")
