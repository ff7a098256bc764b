"""Validation of ingresses, ingress classes and network policies."""

import ipaddress
import re
from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import check_selector, cidr, get, items, named, port
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, path_segment, wildcard_subdomain

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_PARTS, _BAD_ENDS = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_POLICY_TYPES = ("Ingress", "Egress")
_HTTP_PATH = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", re.ASCII)


def check_ingress(ingress: Object) -> Iterator[Cause]:
    """What is wrong with an Ingress that is created."""
    annotated, named_class = (
        get(ingress, "metadata", "annotations", _CLASS_ANNOTATION),
        get(ingress, "spec", "ingressClassName"),
    )
    if annotated is not None and named_class is not None and annotated != named_class:
        words = "must match `ingressClassName` when both are specified"
        yield invalid(f"annotations.{_CLASS_ANNOTATION}", annotated, words)
    yield from _ingress(ingress)


def check_ingress_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of an Ingress."""
    yield from _ingress(new)


def _ingress(ingress: Object) -> Iterator[Cause]:
    spec = ingress.get("spec") or {}
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified")
    if spec.get("defaultBackend") is not None:
        yield from _backend(spec["defaultBackend"], "spec.defaultBackend")
    for index, rule in items(spec, "rules"):
        at = f"spec.rules[{index}]"
        if rule.get("host"):
            yield from _host(rule["host"], f"{at}.host")
        http = rule.get("http")
        if http is None:
            continue
        if not http.get("paths"):
            yield required(f"{at}.http.paths")
        for number, path in items(http, "paths"):
            yield from _path(path, f"{at}.http.paths[{number}]")
    for index, tls in items(spec, "tls"):
        for number, host in items(tls, "hosts"):
            yield from (invalid(f"spec.tls[{index}].hosts[{number}]", host, text) for text in _any_host(host))
        yield from named(tls.get("secretName"), dns_subdomain, f"spec.tls[{index}].secretName")
    yield from _class(spec.get("ingressClassName"))


def _class(name: str | None) -> Iterator[Cause]:
    if name is not None:  # an empty name is wrong, too
        yield from (invalid("spec.ingressClassName", name, text) for text in dns_subdomain(name))


def _any_host(host: str) -> list[str]:
    return wildcard_subdomain(host) if "*" in host else dns_subdomain(host)


def _host(host: str, at: str) -> Iterator[Cause]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        yield invalid(at, host, "must be a DNS name, not an IP address")
    yield from (invalid(at, host, text) for text in _any_host(host))


def _path(path: Object, at: str) -> Iterator[Cause]:
    kind, text = path.get("pathType"), path.get("path") or ""
    if kind is None:
        yield required(f"{at}.pathType", "pathType must be specified")
        return
    if kind not in _PATH_TYPES:
        yield not_supported(f"{at}.pathType", kind, _PATH_TYPES)
    elif kind == "ImplementationSpecific":
        if text and not text.startswith("/"):
            yield invalid(f"{at}.path", text, "must be an absolute path")
    else:
        if not text.startswith("/"):
            yield invalid(f"{at}.path", text, "must be an absolute path")
        yield from (invalid(f"{at}.path", text, f"must not contain '{part}'") for part in _BAD_PARTS if part in text)
        yield from (invalid(f"{at}.path", text, f"cannot end with '{end}'") for end in _BAD_ENDS if text.endswith(end))
    yield from _backend(path.get("backend") or {}, f"{at}.backend")


def _backend(backend: Mapping[str, Json], at: str) -> Iterator[Cause]:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        yield invalid(at, "", "cannot set both resource and service backends")
    elif resource is not None:
        group = resource.get("apiGroup")
        if group is not None:
            yield from (invalid(f"{at}.resource.apiGroup", group, text) for text in dns_subdomain(group))
        for key in ("kind", "name"):
            yield from named(resource.get(key), path_segment, f"{at}.resource.{key}", needed=True)
    elif service is None:
        yield invalid(at, "", "resource or service backend is required")
    else:
        yield from _service_backend(service, at)


def _service_backend(service: Mapping[str, Json], at: str) -> Iterator[Cause]:
    yield from named(service.get("name"), dns_label, f"{at}.service.name", needed=True)
    name, number = get(service, "port", "name", default=""), get(service, "port", "number", default=0)
    if name and number:
        yield invalid(at, "", "cannot set both port name & port number")
    elif not name and not number:
        yield required(at, "port name or number is required")
    else:
        yield from port(name or number, f"{at}.service.port.name" if name else f"{at}.service.port.number")


def check_ingress_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with an IngressClass."""
    controller, parameters = get(obj, "spec", "controller", default=""), get(obj, "spec", "parameters")
    if len(controller) > 250:
        yield Cause("spec.controller", "FieldValueTooLong", "Too long: may not be more than 250 bytes")
    domain, _, path = controller.partition("/")
    if not controller:
        yield required("spec.controller")
    elif not domain or not path:
        yield invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from (invalid("spec.controller", domain, text) for text in dns_subdomain(domain))
        if not _HTTP_PATH.fullmatch(path):
            yield invalid(
                "spec.controller", path, f"Invalid path (regex used for validation is '{_HTTP_PATH.pattern}')"
            )
    if parameters is not None:
        yield from _parameters(parameters, "spec.parameters")


def _parameters(parameters: Object, at: str) -> Iterator[Cause]:
    group = parameters.get("apiGroup")
    if group is not None:
        yield from (invalid(f"{at}.apiGroup", group, text) for text in dns_subdomain(group))
    for key in ("kind", "name"):
        yield from named(parameters.get(key), path_segment, f"{at}.{key}", needed=True)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        yield required(f"{at}.scope")
    elif scope not in ("Cluster", "Namespace"):
        yield not_supported(f"{at}.scope", scope, ("Cluster", "Namespace"))
    elif scope == "Namespace":
        if namespace is None:
            yield required(f"{at}.namespace", "`parameters.scope` is set to 'Namespace'")
        else:
            yield from (invalid(f"{at}.namespace", namespace, text) for text in dns_label(namespace))
    elif namespace is not None:
        yield forbidden(f"{at}.namespace", "`parameters.scope` is set to 'Cluster'")


def check_ingress_class_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of an IngressClass: its controller stays."""
    if get(new, "spec", "controller") != get(old, "spec", "controller"):
        yield invalid("spec.controller", get(new, "spec", "controller", default=""), "field is immutable")
    yield from check_ingress_class(new)


def check_network_policy(policy: Object) -> Iterator[Cause]:
    """What is wrong with a NetworkPolicy."""
    spec = policy.get("spec") or {}
    yield from check_selector(spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in items(spec, direction):
            at = f"spec.{direction}[{index}]"
            for number, one in items(rule, "ports"):
                yield from _policy_port(one, f"{at}.ports[{number}]")
            for number, peer in items(rule, peers):
                yield from _peer(peer, f"{at}.{peers}[{number}]")
    types = spec.get("policyTypes") or ()
    if len(types) > len(_POLICY_TYPES):
        yield invalid("spec.policyTypes", list(types), "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(types):
        if kind not in _POLICY_TYPES:
            yield not_supported(f"spec.policyTypes[{index}]", kind, _POLICY_TYPES)


def _policy_port(one: Object, at: str) -> Iterator[Cause]:
    protocol, number, end = one.get("protocol", "TCP"), one.get("port"), one.get("endPort")
    if protocol not in _PROTOCOLS:
        yield not_supported(f"{at}.protocol", protocol, _PROTOCOLS)
    if number is None:
        if end is not None:
            yield invalid(f"{at}.endPort", end, "may not be specified when `port` is not specified")
        return
    if isinstance(number, str) and end is not None:
        yield invalid(f"{at}.endPort", end, "may not be specified when `port` is non-numeric")
    yield from port(number, f"{at}.port")
    if end is None:
        return
    if not isinstance(number, str) and end < number:
        yield invalid(f"{at}.endPort", number, "must be greater than or equal to `port`")
    yield from port(end, f"{at}.endPort")


def _peer(peer: Object, at: str) -> Iterator[Cause]:
    kinds = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(key) is not None]
    if not kinds:
        yield required(at, "must specify a peer")
    if "ipBlock" in kinds and len(kinds) > 1:
        yield forbidden(at, "may not specify both ipBlock and another peer")
    for key in ("podSelector", "namespaceSelector"):
        yield from check_selector(peer.get(key), f"{at}.{key}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block(block, f"{at}.ipBlock")


def _block(block: Object, at: str) -> Iterator[Cause]:
    text = block.get("cidr") or ""
    if not text:
        yield required(f"{at}.cidr")
        return
    problems = list(cidr(text, f"{at}.cidr"))
    yield from problems
    for index, inner in items(block, "except"):
        where = f"{at}.except[{index}]"
        inside = list(cidr(inner, where))
        yield from inside
        if not problems and not inside and not _strictly_within(inner, text):
            yield invalid(where, inner, "must be a strict subset of `cidr`")


def _strictly_within(inner: str, outer: str) -> bool:
    small, large = ipaddress.ip_network(inner, strict=False), ipaddress.ip_network(outer, strict=False)
    if small.version != large.version or small.prefixlen <= large.prefixlen:
        return False
    return large.network_address <= small.network_address <= large.broadcast_address  # type: ignore[operator]
