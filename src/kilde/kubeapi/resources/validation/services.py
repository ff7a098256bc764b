"""Validation of services and endpoints."""

import ipaddress
from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from kilde.kubeapi.resources.validation.fields import (
    PORT_RANGE,
    between,
    cidr,
    endpoint_ip,
    get,
    ip_address,
    items,
    named,
    one_of,
    port,
    word_of,
)
from kilde.kubeapi.resources.validation.metadata import check_labels
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, qualified_name

PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_OUTSIDE = ("LoadBalancer", "NodePort")
_POLICIES = ("Cluster", "Local")
_LONGEST_AFFINITY = 86400
_GIVEN_PORTS = "allocateLoadBalancerNodePorts"
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")


def check_service(service: Object) -> Iterator[Cause]:
    """What is wrong with a Service."""
    spec = service.get("spec") or {}
    kind, headless = spec.get("type") or "", spec.get("clusterIP") == "None"
    if not spec.get("ports") and not headless and kind != "ExternalName":
        yield required("spec.ports")
    yield from _of_type(spec, kind, headless=headless)
    yield from _ports(spec)
    yield from check_labels(spec.get("selector"), "spec.selector")
    yield from one_of(spec.get("sessionAffinity"), ("ClientIP", "None"), "spec.sessionAffinity", needed=True)
    yield from _affinity(spec)
    yield from check_addresses(spec)
    for index, address in items(spec, "externalIPs"):
        yield from endpoint_ip(address, f"spec.externalIPs[{index}]")
    yield from one_of(kind, _TYPES, "spec.type", needed=True)
    yield from _ports_together(spec, kind)
    yield from _balancer(spec, kind)
    yield from _policies(spec, kind)


def _affinity(spec: Object) -> Iterator[Cause]:
    seconds = get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds")
    at = "spec.sessionAffinityConfig"
    if spec.get("sessionAffinity") == "ClientIP":
        if seconds is None:
            yield required(at, "when session affinity type is ClientIP")
        elif not 0 < seconds <= _LONGEST_AFFINITY:
            yield invalid(
                f"{at}.clientIP.timeoutSeconds", seconds, f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
            )
    elif spec.get("sessionAffinity") == "None" and seconds is not None:
        yield forbidden(at, "must not be set when session affinity is None")


def _of_type(spec: Object, kind: str, *, headless: bool) -> Iterator[Cause]:
    if kind in _OUTSIDE and headless:
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        if spec.get("clusterIPs"):
            yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
        for key in ("ipFamilies", "ipFamilyPolicy"):
            if spec.get(key):
                yield forbidden(f"spec.{key}", "may not be set for ExternalName services")
        name = (spec.get("externalName") or "").removesuffix(".")
        if not name:
            yield required("spec.externalName")
        else:
            yield from (invalid("spec.externalName", name, text) for text in dns_subdomain(name))


def _ports(spec: Object) -> Iterator[Cause]:
    ports = spec.get("ports") or ()
    names: set[str] = set()
    for index, one in enumerate(ports):
        yield from _port(one, f"spec.ports[{index}]", names, alone=len(ports) == 1)


def _ports_together(spec: Object, kind: str) -> Iterator[Cause]:
    ports = spec.get("ports") or ()
    if kind == "ClusterIP":
        for index, one in enumerate(ports):
            if one.get("nodePort"):
                yield forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    yield from _port_twice(ports)


def _port_twice(ports: Sequence[Object]) -> Iterator[Cause]:
    node_ports: set[tuple[int, str]] = set()
    for index, one in enumerate(ports):
        taken = (one.get("nodePort") or 0, one.get("protocol") or "")
        if taken[0] and taken in node_ports:
            yield duplicate(f"spec.ports[{index}].nodePort", taken[0])
        node_ports.add(taken)
    numbers: set[tuple[int, str]] = set()
    for index, one in enumerate(ports):
        number, protocol, at = one.get("port") or 0, one.get("protocol") or "", f"spec.ports[{index}]"
        if (number, protocol) in numbers:
            dump = {
                "Name": "",
                "Protocol": protocol,
                "AppProtocol": None,
                "Port": number,
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield duplicate(at, Struct(dump))
        numbers.add((number, protocol))


def _port(one: Object, at: str, names: set[str], *, alone: bool) -> Iterator[Cause]:
    name = one.get("name") or ""
    if not name:
        if not alone:
            yield required(f"{at}.name")
    else:
        yield from (invalid(f"{at}.name", name, text) for text in dns_label(name))
        if name in names:
            yield duplicate(f"{at}.name", name)
        names.add(name)
    if not 1 <= (one.get("port") or 0) <= 65535:
        yield invalid(f"{at}.port", one.get("port") or 0, PORT_RANGE)
    yield from one_of(one.get("protocol"), PROTOCOLS, f"{at}.protocol", needed=True)
    yield from port(one.get("targetPort"), f"{at}.targetPort")
    yield from app_protocol(one, at)


def _policies(spec: Object, kind: str) -> Iterator[Cause]:
    outside = kind in _OUTSIDE or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    external = spec.get("externalTrafficPolicy") or ""
    if external and not outside:
        yield invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services")
    else:
        yield from one_of(external, _POLICIES, "spec.externalTrafficPolicy", needed=outside)
    internal = spec.get("internalTrafficPolicy")
    if internal is None and kind in ("ClusterIP", *_OUTSIDE):
        yield required("spec.internalTrafficPolicy")
    yield from word_of(internal, _POLICIES, "spec.internalTrafficPolicy")
    local = kind == "LoadBalancer" and external == "Local"
    if spec.get("healthCheckNodePort") and not local:
        words = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", spec["healthCheckNodePort"], words)
    if local and not spec.get("healthCheckNodePort"):
        yield required("spec.healthCheckNodePort")
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        yield not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS)


def _balancer(spec: Object, kind: str) -> Iterator[Cause]:
    """What only load balancers have; a real server writes the field of the ranges with a capital."""
    ranges = "spec.LoadBalancerSourceRanges"
    for key, at in (("loadBalancerSourceRanges", ranges), (_GIVEN_PORTS, f"spec.{_GIVEN_PORTS}")):
        if spec.get(key) not in (None, []) and kind != "LoadBalancer":
            yield forbidden(at, "may only be used when `type` is 'LoadBalancer'")
    for index, one in items(spec, "loadBalancerSourceRanges"):
        yield from cidr(one.strip(), f"{ranges}[{index}]")
    yield from _class(spec, kind)


def _class(spec: Object, kind: str) -> Iterator[Cause]:
    name, at = spec.get("loadBalancerClass"), "spec.loadBalancerClass"
    if name is None:
        return
    if kind == "LoadBalancer":
        yield from (invalid(at, name, text) for text in qualified_name(name))
    else:
        yield forbidden(at, "may only be used when `type` is 'LoadBalancer'")


def _class_update(spec: Object, before: Object) -> Iterator[Cause]:
    name = spec.get("loadBalancerClass")
    if spec.get("type") == before.get("type") == "LoadBalancer" and name != before.get("loadBalancerClass"):
        yield invalid("spec.loadBalancerClass", name, "may not change once set")


def check_addresses(spec: Object) -> Iterator[Cause]:
    """What is wrong with the cluster IPs of a Service and with what they are chosen by."""
    if spec.get("type") == "ExternalName":
        return
    one, addresses = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if one and not addresses:
        yield required("spec.clusterIPs")
    elif one and addresses[0] != one:
        yield invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    elif addresses and not one:
        yield invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified")
    families = spec.get("ipFamilies") or ()
    for index, family in enumerate(families):
        if family not in _FAMILIES:
            yield not_supported(f"spec.ipFamilies[{index}]", family, _FAMILIES)
        if family in families[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    yield from word_of(spec.get("ipFamilyPolicy"), _FAMILY_POLICIES, "spec.ipFamilyPolicy")
    wrong = list(_readable(addresses))
    yield from wrong
    if len(addresses) > 2:
        yield invalid("spec.clusterIPs", addresses, "may only hold up to 2 values")
    if not wrong:
        yield from _families(addresses, families)


def _readable(addresses: Sequence[str]) -> Iterator[Cause]:
    for index, address in enumerate(addresses):
        if index or address != "None":
            yield from ip_address(address, f"spec.clusterIPs[{index}]")
        elif len(addresses) > 1:
            yield invalid("spec.clusterIPs", list(addresses), "'None' must be the first and only value")


def _families(addresses: Sequence[str], families: Sequence[str]) -> Iterator[Cause]:
    """Addresses that can be read are one of each family, and of the families that are asked for."""
    if list(addresses) == ["None"]:
        return
    found = [f"IPv{ipaddress.ip_address(address).version}" for address in addresses]
    if len(found) > len(set(found)):
        yield invalid("spec.clusterIPs", list(addresses), "may specify no more than one IP for each IP family")
    for index, (address, mine, wanted) in enumerate(zip(addresses, found, families, strict=False)):
        if wanted in _FAMILIES and mine != wanted:
            words = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
            yield invalid(f"spec.clusterIPs[{index}]", address, words)


def check_service_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a Service: its address stays as long as it has one."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        yield from _kept(spec, before, "clusterIPs", "clusterIP")
        if "None" not in (spec.get("clusterIP"), before.get("clusterIP")):
            yield from _kept(spec, before, "ipFamilies", "ipFamily")
    yield from _class_update(spec, before)
    yield from _class(spec, spec.get("type") or "")
    yield from check_service(new)


def _kept(spec: Object, before: Object, key: str, one: str) -> Iterator[Cause]:
    """The first of the addresses, or families, stays; the second may come, and go where the policy says so."""
    if spec.get("clusterIP") == before.get("clusterIP") == "None":
        return
    mine, theirs = spec.get(key) or [], before.get(key) or []
    at = f"spec.{key}[0]"
    if len(mine) == len(theirs):
        for index, (new, old) in enumerate(zip(mine, theirs, strict=True)):
            if new != old:
                yield invalid(f"spec.{key}[{index if key == 'clusterIPs' else 0}]", mine, "may not change once set")
        return
    if theirs and not spec.get("clusterIPs"):
        yield invalid(at, mine, f"primary {one} can not be unset")
    if mine and theirs and mine[0] != theirs[0]:
        yield invalid(at, spec.get("clusterIPs") or [], "may not change once set")
    if len(mine) == 1 and len(theirs) > 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        words = f"must be set to 'SingleStack' when releasing the secondary {one}"
        yield invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), words)


def check_endpoints(endpoints: Object) -> Iterator[Cause]:
    """What is wrong with Endpoints."""
    for index, subset in items(endpoints, "subsets"):
        at = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(at, "must specify `addresses` or `notReadyAddresses`")
        for key in ("addresses", "notReadyAddresses"):
            for number, address in items(subset, key):
                yield from _endpoint_address(address, f"{at}.{key}[{number}]")
        several = len(subset.get("ports") or ()) > 1
        for number, one in items(subset, "ports"):
            yield from _endpoint_port(one, f"{at}.ports[{number}]", several=several)


def _endpoint_address(address: Object, at: str) -> Iterator[Cause]:
    ip = address.get("ip") or ""
    wrong = list(ip_address(ip, f"{at}.ip"))
    yield from wrong
    yield from named(address.get("hostname"), dns_label, f"{at}.hostname")
    if address.get("nodeName") is not None:
        name = address["nodeName"]
        yield from (invalid(f"{at}.nodeName", name, text) for text in dns_subdomain(name))
    if wrong:  # a real server says it twice, in two ways
        yield invalid(f"{at}.ip", ip, "must be a valid IP address")
    else:
        yield from endpoint_ip(ip, f"{at}.ip")


def _endpoint_port(one: Object, at: str, *, several: bool) -> Iterator[Cause]:
    yield from named(one.get("name"), dns_label, f"{at}.name", needed=several)
    yield from between(one.get("port") or 0, 1, 65535, f"{at}.port")
    yield from one_of(one.get("protocol"), PROTOCOLS, f"{at}.protocol", needed=True)
    yield from app_protocol(one, at)


def app_protocol(one: Object, at: str) -> Iterator[Cause]:
    """The protocol of applications that a port names, where it names one."""
    protocol = one.get("appProtocol")
    if protocol is not None:
        yield from (invalid(f"{at}.appProtocol", protocol, text) for text in qualified_name(protocol))
