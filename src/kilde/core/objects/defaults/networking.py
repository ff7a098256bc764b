"""Defaults of Services, endpoints, ingress classes and network policies. What a server allots (addresses, ports) is no default."""

from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_CORE = "io.k8s.api.core.v1."
_NETWORKING = "io.k8s.api.networking.v1."
_THREE_HOURS = 10800


def _service(value: Object) -> None:
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return
    _affinity(spec)
    kind = spec.setdefault("type", "ClusterIP")
    outside = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if outside:
        fill(spec, "externalTrafficPolicy", "Cluster")
    if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
        fill(spec, "internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        fill(spec, "allocateLoadBalancerNodePorts", True)
        _ip_modes(value.get("status"))


def _affinity(spec: Object) -> None:
    affinity = spec.setdefault("sessionAffinity", "None")
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        client = config.get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _THREE_HOURS}}


def _ip_modes(status: Any) -> None:
    balancer = status.get("loadBalancer") if isinstance(status, dict) else None
    for ingress in (balancer or {}).get("ingress") or ():
        if isinstance(ingress, dict) and ingress.get("ip"):
            fill(ingress, "ipMode", "VIP")


def _service_port(value: Object) -> None:
    fill(value, "protocol", "TCP")
    if not value.get("targetPort"):
        value["targetPort"] = value.get("port", 0)


def _tcp(value: Object) -> None:
    fill(value, "protocol", "TCP")


def _slice_port(value: Object) -> None:
    fill(value, "name", "")
    fill(value, "protocol", "TCP")


def _ingress_class_parameters(value: Object) -> None:
    fill(value, "scope", "Cluster")


def _network_policy(value: Object) -> None:
    if not value.get("policyTypes"):
        value["policyTypes"] = ["Ingress", "Egress"] if value.get("egress") else ["Ingress"]


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _CORE + "Service": _service,
    _CORE + "ServicePort": _service_port,
    _CORE + "EndpointPort": _tcp,
    "io.k8s.api.discovery.v1.EndpointPort": _slice_port,
    _NETWORKING + "IngressClassParametersReference": _ingress_class_parameters,
    _NETWORKING + "NetworkPolicySpec": _network_policy,
    _NETWORKING + "NetworkPolicyPort": _tcp,
}
