"""Validation of what the status of a Service or an Ingress says of its load balancer."""

import ipaddress
from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import get, ip_address, items
from kilde.kubeapi.resources.validation.names import dns_subdomain

_AT, _MODES = "status.loadBalancer.ingress", ("Proxy", "VIP")


def check_service_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of a Service: only one of type LoadBalancer is reached from outside."""
    if get(new, "spec", "type") != "LoadBalancer" and get(new, "status", "loadBalancer", "ingress"):
        yield forbidden(_AT, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    known = _known(old)
    for index, one in items(new, "status", "loadBalancer", "ingress"):
        at, ip, mode = f"{_AT}[{index}]", one.get("ip") or "", one.get("ipMode")
        yield from _address(ip, known, f"{at}.ip")
        if mode is None:
            if ip:
                yield required(f"{at}.ipMode", "must be specified when `ip` is set")
        elif not ip:
            yield forbidden(f"{at}.ipMode", "may not be specified when `ip` is not set")
        elif mode not in _MODES:
            yield not_supported(f"{at}.ipMode", mode, _MODES)
        yield from _hostname(one.get("hostname") or "", f"{at}.hostname")


def check_ingress_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of an Ingress."""
    known = _known(old)
    for index, one in items(new, "status", "loadBalancer", "ingress"):
        yield from _address(one.get("ip") or "", known, f"{_AT}[{index}].ip")
        yield from _hostname(one.get("hostname") or "", f"{_AT}[{index}].hostname")


def _known(old: Object) -> set[Json]:
    """Addresses that are there already are not judged again."""
    return {one.get("ip") for _, one in items(old, "status", "loadBalancer", "ingress")}


def _address(ip: str, known: set[Json], at: str) -> Iterator[Cause]:
    if ip and ip not in known:
        yield from ip_address(ip, at)


def _hostname(name: str, at: str) -> Iterator[Cause]:
    yield from (invalid(at, name, text) for text in (dns_subdomain(name) if name else ()))
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return
    yield invalid(at, name, "must be a DNS name, not an IP address")
